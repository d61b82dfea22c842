/** Requests with everything left out at its default, for tests. */
import type {
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from "../../codec/kv.ts";
import { CompareTarget } from "../../codec/kv.ts";
import { emptyRangeRequest } from "../../codec/range.ts";
import type { LeaseId, RaftIndex, Term } from "../../lib/ids.ts";
import { noLease } from "../../lib/ids.ts";

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0));
}

export function text(value: Uint8Array): string {
  return String.fromCharCode(...value);
}

export const term = 1 as Term;

export function leaseId(id: number | bigint): LeaseId {
  return BigInt(id) as LeaseId;
}

/** Entry indexes, one after the other. */
export function indexes(from = 0): () => RaftIndex {
  let index = from;
  return () => ++index as RaftIndex;
}

export function putRequest(key: string, value = "", options: Partial<PutRequest> = {}): PutRequest {
  return {
    key: bytes(key),
    value: bytes(value),
    lease: noLease,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
    ...options,
  };
}

export function rangeRequest(key: string, rangeEnd = "", options: Partial<RangeRequest> = {}): RangeRequest {
  return { ...emptyRangeRequest(), key: bytes(key), rangeEnd: bytes(rangeEnd), ...options };
}

export function deleteRequest(
  key: string,
  rangeEnd = "",
  options: Partial<DeleteRangeRequest> = {},
): DeleteRangeRequest {
  return { key: bytes(key), rangeEnd: bytes(rangeEnd), prevKv: false, ...options };
}

export function compare(
  key: string,
  result: number,
  target: keyof typeof CompareTarget,
  operand: Compare["operand"],
  rangeEnd = "",
): Compare {
  return { key: bytes(key), rangeEnd: bytes(rangeEnd), result, target: CompareTarget[target], operand };
}

export const ops = {
  put: (...args: Parameters<typeof putRequest>): RequestOp => ({ kind: "put", put: putRequest(...args) }),
  range: (...args: Parameters<typeof rangeRequest>): RequestOp => ({
    kind: "range",
    range: rangeRequest(...args),
  }),
  delete: (...args: Parameters<typeof deleteRequest>): RequestOp => ({
    kind: "deleteRange",
    deleteRange: deleteRequest(...args),
  }),
  txn: (txn: Partial<TxnRequest>): RequestOp => ({ kind: "txn", txn: txnRequest(txn) }),
};

export function txnRequest(parts: Partial<TxnRequest>): TxnRequest {
  return { compare: [], success: [], failure: [], ...parts };
}

/** Messages of the generated code as the plain objects of codec/kv.ts. */

import type * as pb from "../../gen/etcdserverpb/rpc_pb.ts";
import type * as mvccpb from "../../gen/mvccpb/kv_pb.ts";
import type { LeaseId } from "../../lib/ids.ts";
import type {
  Compare,
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  RequestOp,
  ResponseOp,
  TxnRequest,
  TxnResponse,
} from "../kv.ts";

export function plainKeyValue(kv: mvccpb.KeyValue): KeyValue {
  return {
    key: kv.key,
    createRevision: Number(kv.createRevision),
    modRevision: Number(kv.modRevision),
    version: Number(kv.version),
    value: kv.value,
    lease: kv.lease as LeaseId,
  };
}

export function plainRange(range: pb.RangeRequest): RangeRequest {
  return {
    key: range.key,
    rangeEnd: range.rangeEnd,
    limit: Number(range.limit),
    revision: Number(range.revision),
    sortOrder: range.sortOrder,
    sortTarget: range.sortTarget,
    serializable: range.serializable,
    keysOnly: range.keysOnly,
    countOnly: range.countOnly,
    minModRevision: Number(range.minModRevision),
    maxModRevision: Number(range.maxModRevision),
    minCreateRevision: Number(range.minCreateRevision),
    maxCreateRevision: Number(range.maxCreateRevision),
  };
}

export function plainPut(put: pb.PutRequest): PutRequest {
  return {
    key: put.key,
    value: put.value,
    lease: put.lease as LeaseId,
    prevKv: put.prevKv,
    ignoreValue: put.ignoreValue,
    ignoreLease: put.ignoreLease,
  };
}

export function plainDeleteRange(request: pb.DeleteRangeRequest): DeleteRangeRequest {
  return { key: request.key, rangeEnd: request.rangeEnd, prevKv: request.prevKv };
}

export function plainTxn(txn: pb.TxnRequest): TxnRequest {
  return {
    compare: txn.compare.map(plainCompare),
    success: txn.success.map(plainRequestOp),
    failure: txn.failure.map(plainRequestOp),
  };
}

const targetNames = ["version", "createRevision", "modRevision", "value", "lease"];

function plainCompare(compare: pb.Compare): Compare {
  const { case: name, value } = compare.targetUnion;
  let operand: Compare["operand"];
  if (name !== undefined && name === targetNames[compare.target]) {
    operand = typeof value === "bigint" && name !== "lease" ? Number(value) : value;
  }
  const { result, target, key, rangeEnd } = compare;
  return { result, target, key, rangeEnd, operand };
}

function plainRequestOp(op: pb.RequestOp): RequestOp {
  switch (op.request.case) {
    case "requestRange":
      return { kind: "range", range: plainRange(op.request.value) };
    case "requestPut":
      return { kind: "put", put: plainPut(op.request.value) };
    case "requestDeleteRange":
      return { kind: "deleteRange", deleteRange: plainDeleteRange(op.request.value) };
    case "requestTxn":
      return { kind: "txn", txn: plainTxn(op.request.value) };
    default:
      return { kind: "none" };
  }
}

export function plainRangeResponse(response: pb.RangeResponse): RangeResponse {
  return { kvs: response.kvs.map(plainKeyValue), more: response.more, count: Number(response.count) };
}

export function plainPutResponse(response: pb.PutResponse): PutResponse {
  return { prevKv: response.prevKv && plainKeyValue(response.prevKv) };
}

export function plainDeleteRangeResponse(response: pb.DeleteRangeResponse): DeleteRangeResponse {
  return { deleted: Number(response.deleted), prevKvs: response.prevKvs.map(plainKeyValue) };
}

export function plainTxnResponse(response: pb.TxnResponse): TxnResponse {
  return {
    succeeded: response.succeeded,
    responses: response.responses.map(plainResponseOp),
    revision: Number(response.header?.revision ?? 0n),
  };
}

function plainResponseOp(op: pb.ResponseOp): ResponseOp {
  const revision = Number(op.response.value?.header?.revision ?? 0n);
  switch (op.response.case) {
    case "responseRange":
      return { kind: "range", range: plainRangeResponse(op.response.value), revision };
    case "responsePut":
      return { kind: "put", put: plainPutResponse(op.response.value), revision };
    case "responseDeleteRange":
      return { kind: "deleteRange", deleteRange: plainDeleteRangeResponse(op.response.value), revision };
    case "responseTxn":
      return { kind: "txn", txn: plainTxnResponse(op.response.value) };
    default:
      throw new Error("no answer is empty");
  }
}

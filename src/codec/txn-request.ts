/** TxnRequest with its comparisons and operations, which may be transactions again. */
import { emptyDeleteRangeRequest, readDeleteRangeRequest } from "./delete-range.ts";
import type { Compare, RequestOp, TxnRequest } from "./kv.ts";
import type { Mutable } from "./mutable.ts";
import { noBytes, Reader } from "./protowire-read.ts";
import { emptyPutRequest, readPutRequest } from "./put.ts";
import { emptyRangeRequest, readRangeRequest } from "./range.ts";

interface TxnDraft extends TxnRequest {
  readonly compare: Compare[];
  readonly success: RequestOp[];
  readonly failure: RequestOp[];
}

export function decodeTxnRequest(bytes: Uint8Array): TxnRequest {
  return readTxnRequest(new Reader(bytes), emptyTxnRequest());
}

export function emptyTxnRequest(): TxnRequest {
  return { compare: [], success: [], failure: [] };
}

export function readTxnRequest(reader: Reader, into: TxnRequest): TxnRequest {
  // Only what emptyTxnRequest made comes here.
  const txn = into as TxnDraft;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) txn.compare.push(readCompare(reader));
    else if (tag === 0x12) txn.success.push(readRequestOp(reader));
    else if (tag === 0x1a) txn.failure.push(readRequestOp(reader));
    else reader.skip(tag);
  }
  return txn;
}

function readCompare(reader: Reader): Compare {
  const compare: Mutable<Compare> = {
    result: 0,
    target: 0,
    key: noBytes,
    rangeEnd: noBytes,
    operand: undefined,
  };
  /** Which target the operand is for. One that is for another than the named target counts as missing. */
  let operandTarget = -1;
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) compare.result = reader.enum();
    else if (tag === 0x10) compare.target = reader.enum();
    else if (tag === 0x1a) compare.key = reader.bytesField();
    else if (tag === 0x3a) {
      compare.operand = reader.bytesField();
      operandTarget = 3;
    } else if (tag === 0x40) {
      compare.operand = reader.bigInt();
      operandTarget = 4;
    } else if (tag === 0x20 || tag === 0x28 || tag === 0x30) {
      compare.operand = reader.int();
      operandTarget = (tag >>> 3) - 4;
    } else if (tag === 0x202) compare.rangeEnd = reader.bytesField();
    else reader.skip(tag);
  }
  reader.leave(outer);
  if (operandTarget !== compare.target) compare.operand = undefined;
  return compare;
}

function readRequestOp(reader: Reader): RequestOp {
  let op: RequestOp = { kind: "none" };
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a || tag === 0x12 || tag === 0x1a || tag === 0x22) {
      const opEnd = reader.enter();
      op = readOperation(reader, tag, op);
      reader.leave(opEnd);
    } else {
      reader.skip(tag);
    }
  }
  reader.leave(outer);
  return op;
}

/** A member of the oneof. When the same one came before, the two are merged; a different one is replaced. */
function readOperation(reader: Reader, tag: number, before: RequestOp): RequestOp {
  if (tag === 0x0a) {
    const into = before.kind === "range" ? before.range : emptyRangeRequest();
    return { kind: "range", range: readRangeRequest(reader, into) };
  }
  if (tag === 0x12) {
    const into = before.kind === "put" ? before.put : emptyPutRequest();
    return { kind: "put", put: readPutRequest(reader, into) };
  }
  if (tag === 0x1a) {
    const into = before.kind === "deleteRange" ? before.deleteRange : emptyDeleteRangeRequest();
    return { kind: "deleteRange", deleteRange: readDeleteRangeRequest(reader, into) };
  }
  const into = before.kind === "txn" ? before.txn : emptyTxnRequest();
  return { kind: "txn", txn: readTxnRequest(reader, into) };
}

/**
 * TxnResponse. The length of a nested answer stands before it, so a small answer is sized first, in the order in which
 * the writer wants the sizes (each is then computed once, however deep the nesting), and a large one is made in parts.
 */
import type { Steps } from "../lib/steps.ts";
import { deleteRangeParts, deleteRangeResponseSize, writeDeleteRangeResponse } from "./delete-range.ts";
import { encodeHeader, type HeaderFields, headerSize, writeHeader } from "./header.ts";
import type { ResponseOp, TxnResponse } from "./kv.ts";
import { Parts, rowsWeight, weightAtOnce } from "./parts.ts";
import { noBytes } from "./protowire-read.ts";
import { boolFieldSize, lengthFieldSize, sealed, writeBoolField, writeLength } from "./protowire-write.ts";
import { encodePutResponse, putResponseSize, writePutResponse } from "./put.ts";
import { rangeParts, rangeResponseSize, writeRangeResponse } from "./range.ts";

const succeededTag = 0x10;
const responsesTag = 0x1a;
const opTags = { range: 0x0a, put: 0x12, deleteRange: 0x1a, txn: 0x22 } as const;

/** The answer in one buffer. */
export function encodeTxnResponse(header: HeaderFields, response: TxnResponse): Uint8Array {
  const sizes: number[] = [];
  const buffer = new Uint8Array(txnSize(header, response, sizes));
  return sealed(buffer, writeTxn(buffer, 0, header, response, { sizes, next: 0 }));
}

/** The answer in as many parts and steps as its number of rows wants; a small one is one part after no step. */
export function* encodeTxnResponseParts(header: HeaderFields, response: TxnResponse): Steps<Uint8Array[]> {
  if (txnWeight(response) <= weightAtOnce) return [encodeTxnResponse(header, response)];
  const parts = new Parts();
  yield* txnParts(parts, header, response);
  return parts.buffers;
}

/** Headers of the answers inside have a revision and nothing else; that of a nested transaction is empty. */
function opHeader(revision: number): HeaderFields {
  return { prefix: noBytes, revision, raftTerm: 0 };
}
const nestedTxnHeader = opHeader(0);

function txnSize(header: HeaderFields, response: TxnResponse, sizes: number[]): number {
  let size = headerSize(header) + boolFieldSize(response.succeeded);
  for (const op of response.responses) {
    const place = sizes.push(0) - 1;
    const opSize = responseSize(op, sizes);
    sizes[place] = opSize;
    size += lengthFieldSize(lengthFieldSize(opSize));
  }
  return size;
}

function responseSize(op: ResponseOp, sizes: number[]): number {
  switch (op.kind) {
    case "range":
      return rangeResponseSize(opHeader(op.revision), op.range);
    case "put":
      return putResponseSize(opHeader(op.revision), op.put);
    case "deleteRange":
      return deleteRangeResponseSize(opHeader(op.revision), op.deleteRange);
    case "txn":
      return txnSize(nestedTxnHeader, op.txn, sizes);
  }
}

interface WriteState {
  /** What txnSize found, and the next one to use. */
  readonly sizes: readonly number[];
  next: number;
}

function writeTxn(
  buffer: Uint8Array,
  at: number,
  header: HeaderFields,
  response: TxnResponse,
  state: WriteState,
): number {
  at = writeHeader(buffer, at, header);
  at = writeBoolField(buffer, at, succeededTag, response.succeeded);
  for (const op of response.responses) {
    const size = state.sizes[state.next++]!;
    at = writeLength(buffer, at, responsesTag, lengthFieldSize(size));
    at = writeLength(buffer, at, opTags[op.kind], size);
    at = writeResponse(buffer, at, op, state);
  }
  return at;
}

function writeResponse(buffer: Uint8Array, at: number, op: ResponseOp, state: WriteState): number {
  switch (op.kind) {
    case "range":
      return writeRangeResponse(buffer, at, opHeader(op.revision), op.range);
    case "put":
      return writePutResponse(buffer, at, opHeader(op.revision), op.put);
    case "deleteRange":
      return writeDeleteRangeResponse(buffer, at, opHeader(op.revision), op.deleteRange);
    case "txn":
      return writeTxn(buffer, at, nestedTxnHeader, op.txn, state);
  }
}

function txnWeight(response: TxnResponse): number {
  let weight = 0;
  for (const op of response.responses) {
    if (op.kind === "range") weight += rowsWeight(op.range.kvs);
    else if (op.kind === "deleteRange") weight += rowsWeight(op.deleteRange.prevKvs);
    else if (op.kind === "txn") weight += txnWeight(op.txn);
    else if (op.put.prevKv !== undefined) weight += op.put.prevKv.value.length;
  }
  return weight;
}

function* txnParts(parts: Parts, header: HeaderFields, response: TxnResponse): Steps<void> {
  parts.push(encodeHeader(header));
  const succeeded = new Uint8Array(boolFieldSize(response.succeeded));
  parts.push(sealed(succeeded, writeBoolField(succeeded, 0, succeededTag, response.succeeded)));
  for (const op of response.responses) {
    const opField = parts.open();
    const responseField = parts.open();
    yield* responseParts(parts, op);
    parts.close(opTags[op.kind], responseField);
    parts.close(responsesTag, opField);
  }
}

function* responseParts(parts: Parts, op: ResponseOp): Steps<void> {
  if (op.kind === "txn") {
    yield* txnParts(parts, nestedTxnHeader, op.txn);
    return;
  }
  const header = opHeader(op.revision);
  if (op.kind === "range") {
    yield* rangeParts(parts, header, op.range);
  } else if (op.kind === "deleteRange") {
    yield* deleteRangeParts(parts, header, op.deleteRange);
  } else {
    parts.push(encodePutResponse(header, op.put));
  }
}

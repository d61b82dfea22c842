/** KV.Range: one key at once, many in slices, encoded while they are read. */
import { encodeHeader } from "../../codec/header.ts";
import type { RangeRequest } from "../../codec/kv.ts";
import {
  decodeRangeRequest,
  encodeRangeEnd,
  encodeRangeResponse,
  encodeRangeRows,
} from "../../codec/range.ts";
import type { Revision } from "../../lib/ids.ts";
import { checkRange } from "../../mvcc/check/check-request.ts";
import type { GrpcCall, SingleRequestHandler } from "../../transport/grpc.ts";
import { statusOf, unary } from "../handler.ts";
import type { RpcServer } from "../rpc-server.ts";

/** What a read that is given up returns. */
const nothing = { count: 0, more: false, revision: 0 as Revision };
/** Rows are encoded in batches of about this size. */
const batchRows = 256;
const batchBytes = 64 * 1024;

export function rangeHandler(server: RpcServer): SingleRequestHandler {
  return unary((call, message) => {
    const request = decodeRangeRequest(message);
    checkRange(request);
    if (request.serializable) answerRange(server, call, request);
    else
      server.linearizable(
        () => answerSafely(server, call, request),
        (error) => call.fail(error),
      );
  });
}

/** As `answerRange`, from a callback: what it throws has to reach the caller too. */
function answerSafely(server: RpcServer, call: GrpcCall, request: RangeRequest): void {
  try {
    answerRange(server, call, request);
  } catch (error) {
    call.fail(statusOf(error));
  }
}

function answerRange(server: RpcServer, call: GrpcCall, request: RangeRequest): void {
  if (isPlainGet(request)) {
    const kv = server.store.get(request.key);
    const response = kv ? { kvs: [kv], more: false, count: 1 } : noRows;
    call.respond(encodeRangeResponse(server.header(), response));
    return;
  }
  const parts = [encodeHeader(server.header())];
  server.runSteps(
    encodeRows(server, request, parts),
    () => call.respondParts(parts),
    (error) => call.fail(error),
    () => call.cancelled,
  );
}

const noRows = { kvs: [], more: false, count: 0 } as const;

/** A get of one key's newest version, with nothing else asked for. */
function isPlainGet(request: RangeRequest): boolean {
  return (
    request.rangeEnd.length === 0 &&
    request.revision <= 0 &&
    !request.keysOnly &&
    !request.countOnly &&
    request.minModRevision === 0 &&
    request.maxModRevision === 0 &&
    request.minCreateRevision === 0 &&
    request.maxCreateRevision === 0
  );
}

function* encodeRows(
  server: RpcServer,
  request: RangeRequest,
  parts: Uint8Array[],
): Generator<undefined, undefined, undefined> {
  const batches = server.store.rangeBatches(request, batchRows, batchBytes);
  try {
    for (;;) {
      const batch = batches.next();
      if (batch.done) {
        parts.push(encodeRangeEnd(batch.value));
        return undefined;
      }
      if (batch.value && batch.value.length > 0) parts.push(encodeRangeRows(batch.value));
      yield undefined;
    }
  } finally {
    batches.return(nothing);
  }
}

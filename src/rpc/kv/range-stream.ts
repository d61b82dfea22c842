/**
 * KV.RangeStream: a range in pieces, of which one at a time waits in memory: the next is read when the last has left.
 *
 * The last piece has the last rows and, as the only one, the header, `more` and the count. Clients hold etcd to that: a
 * reader that has got as many rows as it asked for goes no further, and still has to know the revision they are of.
 */
import type { Caller } from "../../auth/caller.ts";
import { checkRange } from "../../auth/permission.ts";
import type { KeyValue, RangeRequest } from "../../codec/kv.ts";
import { decodeRangeRequest, encodeRangeStreamEnd, encodeRangeStreamRows } from "../../codec/range.ts";
import type { Revision } from "../../lib/ids.ts";
import { checkRangeStream } from "../../mvcc/check/check-request.ts";
import type { GrpcCall, SingleRequestHandler } from "../../transport/grpc.ts";
import { AnswerGate, runRead } from "../answer-room.ts";
import { checkNotStale, withCaller } from "../caller.ts";
import { answeringStream, statusOf } from "../handler.ts";
import type { RpcServer } from "../rpc-server.ts";

/** What a read that is given up returns. */
const nothing = { count: 0, more: false, revision: 0 as Revision };
const batchRows = 1024;
const batchBytes = 256 * 1024;

export function rangeStreamHandler(server: RpcServer): SingleRequestHandler {
  return answeringStream((call, message) => {
    const request = decodeRangeRequest(message);
    checkRangeStream(request);
    const start = () =>
      withCaller(server, call, (caller) => {
        checkRange(server.auth.state, caller, request.key, request.rangeEnd);
        streamRows(server, call, request, caller);
      });
    if (request.serializable) start();
    else server.linearizable(start, (error) => call.fail(error));
  });
}

function streamRows(
  server: RpcServer,
  call: GrpcCall,
  request: RangeRequest,
  caller: Caller | undefined,
): void {
  const gate = new AnswerGate(call);
  const batches = server.store.rangeBatches(request, batchRows, batchBytes, (bytes) => gate.add(bytes));
  /** Read, and not yet sent, since it may be the last. */
  let waiting: readonly KeyValue[] = [];
  /** Reads until the peer has enough for now; true at the end. */
  function* pump(): Generator<undefined, boolean, undefined> {
    for (;;) {
      const batch = batches.next();
      if (batch.done) {
        checkNotStale(server, caller);
        // Reading may have begun later than the call: the header is of the revision that was read.
        const header = server.headerAt(batch.value.revision);
        call.write(encodeRangeStreamEnd(header, { kvs: waiting, ...batch.value }));
        return true;
      }
      if (batch.value && batch.value.length > 0) {
        const rows = waiting;
        waiting = batch.value;
        if (rows.length > 0 && !call.write(encodeRangeStreamRows(rows))) return false;
      }
      yield undefined;
    }
  }
  let running = false;
  const run = () => {
    if (running) return;
    running = true;
    runRead(server, {
      call,
      gate,
      steps: pump(),
      done: (ended) => {
        running = false;
        if (ended) call.end();
        return !ended;
      },
      failed: (error) => call.fail(statusOf(error)),
    });
  };
  call.onDrain(run);
  call.onCancel(() => batches.return(nothing));
  run();
}

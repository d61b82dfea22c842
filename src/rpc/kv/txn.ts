/** KV.Txn: one that only reads is answered as a Range is; any other goes through the log. */
import type { Caller } from "../../auth/caller.ts";
import { checkTxn as checkTxnPermission } from "../../auth/permission.ts";
import type { RequestOp, TxnRequest, TxnResponse } from "../../codec/kv.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { decodeTxnRequest } from "../../codec/txn-request.ts";
import { encodeTxnResponseParts } from "../../codec/txn-response.ts";
import type { EtcdError } from "../../errors/etcd-error.ts";
import type { Steps } from "../../lib/steps.ts";
import { checkTxn } from "../../mvcc/check/check-txn.ts";
import type { GrpcCall, SingleRequestHandler } from "../../transport/grpc.ts";
import { AnswerGate, runRead } from "../answer-room.ts";
import { checkNotStale, proposeFor, withCaller } from "../caller.ts";
import { respondInSteps, unary } from "../handler.ts";
import type { RpcServer } from "../rpc-server.ts";

export function txnHandler(server: RpcServer): SingleRequestHandler {
  return unary((call, message) => {
    const request = decodeTxnRequest(message);
    checkTxn(request, server.maxTxnOps);
    if (everyOp(request, isRead)) {
      const startMs = server.readTimes.now();
      const failed = (error: EtcdError) => {
        server.readTimes.txn(request, startMs, error);
        call.fail(error);
      };
      const readFor = (caller: Caller | undefined) =>
        readTxn(server, call, { request, caller, startMs, failed });
      const read = () => withCaller(server, call, readFor, failed);
      if (everyOp(request, isSerializableRead)) read();
      else server.linearizable(read, failed);
      return;
    }
    const proposal = { field: raftField.txn, bytes: message, request };
    proposeFor<TxnResponse>(server, call, proposal, (error, response) => {
      if (error) call.fail(error);
      else respondInSteps(server, call, encodeTxnResponseParts(server.header(), response!));
    });
  });
}

/** A transaction that only reads. */
interface TxnRead {
  readonly request: TxnRequest;
  readonly caller: Caller | undefined;
  readonly startMs: number;
  readonly failed: (error: EtcdError) => void;
}

function readTxn(server: RpcServer, call: GrpcCall, { request, caller, startMs, failed }: TxnRead): void {
  checkTxnPermission(server.auth.state, caller, request);
  const gate = new AnswerGate(call);
  runRead(server, {
    call,
    gate,
    steps: readAllowed(server, request, caller, gate),
    done: (response) => {
      server.readTimes.txn(request, startMs, response);
      // Rows and parts are kept at once for a moment; the rows are what is counted.
      const steps = encodeTxnResponseParts(server.headerAt(response.revision), response);
      const done = (parts: Uint8Array[]) => call.respondParts(parts);
      runRead(server, { call, gate, steps, done, failed: (error) => call.fail(error) });
      return true;
    },
    failed,
  });
}

function* readAllowed(
  server: RpcServer,
  request: TxnRequest,
  caller: Caller | undefined,
  gate: AnswerGate,
): Steps<TxnResponse> {
  const response = yield* server.store.readTxn(request, (bytes) => gate.add(bytes));
  checkNotStale(server, caller);
  return response;
}

/** Whether `holds` for all operations, those of nested transactions included. */
function everyOp(txn: TxnRequest, holds: (op: RequestOp) => boolean): boolean {
  const check = (op: RequestOp): boolean => (op.kind === "txn" ? everyOp(op.txn, holds) : holds(op));
  return txn.success.every(check) && txn.failure.every(check);
}

const isRead = (op: RequestOp) => op.kind === "range";
const isSerializableRead = (op: RequestOp) => op.kind === "range" && op.range.serializable;

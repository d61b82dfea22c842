/** KV.Txn: one that only reads is answered as a Range is; any other goes through the log. */
import type { RequestOp, TxnRequest, TxnResponse } from "../../codec/kv.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { decodeTxnRequest } from "../../codec/txn-request.ts";
import { encodeTxnResponseParts } from "../../codec/txn-response.ts";
import type { EtcdError } from "../../errors/etcd-error.ts";
import { checkTxn } from "../../mvcc/check/check-txn.ts";
import type { GrpcCall, SingleRequestHandler } from "../../transport/grpc.ts";
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
      const read = () => readTxn(server, call, request, startMs, failed);
      if (everyOp(request, isSerializableRead)) read();
      else server.linearizable(read, failed);
      return;
    }
    server.propose<TxnResponse>({ field: raftField.txn, bytes: message, request }, (error, response) => {
      if (error) call.fail(error);
      else respondInSteps(server, call, encodeTxnResponseParts(server.header(), response!));
    });
  });
}

function readTxn(
  server: RpcServer,
  call: GrpcCall,
  request: TxnRequest,
  startMs: number,
  failed: (error: EtcdError) => void,
): void {
  server.runSteps(
    server.store.readTxn(request),
    (response) => {
      server.readTimes.txn(request, startMs, response);
      respondInSteps(server, call, encodeTxnResponseParts(server.headerAt(response.revision), response));
    },
    failed,
    () => call.cancelled,
  );
}

/** Whether `holds` for all operations, those of nested transactions included. */
function everyOp(txn: TxnRequest, holds: (op: RequestOp) => boolean): boolean {
  const check = (op: RequestOp): boolean => (op.kind === "txn" ? everyOp(op.txn, holds) : holds(op));
  return txn.success.every(check) && txn.failure.every(check);
}

const isRead = (op: RequestOp) => op.kind === "range";
const isSerializableRead = (op: RequestOp) => op.kind === "range" && op.range.serializable;

/** KV.Compact. */
import { decodeCompactionRequest } from "../../codec/compaction.ts";
import { encodeHeader } from "../../codec/header.ts";
import { raftField } from "../../codec/raft-internal.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { statusOf, unary } from "../handler.ts";
import type { RpcServer } from "../rpc-server.ts";

export function compactHandler(server: RpcServer): SingleRequestHandler {
  return unary((call, message) => {
    const request = decodeCompactionRequest(message);
    const proposal = { field: raftField.compaction, bytes: message, request };
    const startMs = server.readTimes.now();
    server.propose<void>(proposal, (error) => {
      const appliedMs = server.readTimes.now();
      const respond = (endMs: number) => {
        server.slowTraces.compaction(request.revision, { startMs, appliedMs, endMs });
        call.respond(encodeHeader(server.header()));
      };
      if (error) call.fail(error);
      else if (!request.physical) respond(appliedMs);
      else {
        server.physicallyCompacted(request.revision).then(
          () => respond(server.readTimes.now()),
          (failure: unknown) => call.fail(statusOf(failure)),
        );
      }
    });
  });
}

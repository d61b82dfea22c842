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
    server.propose<void>(proposal, (error) => {
      if (error) call.fail(error);
      else if (!request.physical) call.respond(encodeHeader(server.header()));
      else {
        server.physicallyCompacted(request.revision).then(
          () => call.respond(encodeHeader(server.header())),
          (failure: unknown) => call.fail(statusOf(failure)),
        );
      }
    });
  });
}

/** KV.Put. */
import type { PutResponse } from "../../codec/kv.ts";
import { decodePutRequest, encodePutResponse } from "../../codec/put.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { checkPutRequest } from "../../mvcc/check/check-request.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { proposeFor } from "../caller.ts";
import { unary } from "../handler.ts";
import type { RpcServer } from "../rpc-server.ts";

export function putHandler(server: RpcServer): SingleRequestHandler {
  return unary((call, message) => {
    const request = decodePutRequest(message);
    checkPutRequest(request);
    const proposal = { field: raftField.put, bytes: message, request };
    proposeFor<PutResponse>(server, call, proposal, (error, response) => {
      if (error) call.fail(error);
      else call.respond(encodePutResponse(server.header(), response!));
    });
  });
}

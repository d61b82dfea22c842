/** KV.DeleteRange. */
import { decodeDeleteRangeRequest, encodeDeleteRangeResponseParts } from "../../codec/delete-range.ts";
import type { DeleteRangeResponse } from "../../codec/kv.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { checkDeleteRange } from "../../mvcc/check/check-request.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { proposeFor } from "../caller.ts";
import { respondInSteps, unary } from "../handler.ts";
import type { RpcServer } from "../rpc-server.ts";

export function deleteRangeHandler(server: RpcServer): SingleRequestHandler {
  return unary((call, message) => {
    const request = decodeDeleteRangeRequest(message);
    checkDeleteRange(request);
    const proposal = { field: raftField.deleteRange, bytes: message, request };
    proposeFor<DeleteRangeResponse>(server, call, proposal, (error, response) => {
      if (error) call.fail(error);
      else respondInSteps(server, call, encodeDeleteRangeResponseParts(server.header(), response!));
    });
  });
}

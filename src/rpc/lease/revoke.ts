/** Lease.LeaseRevoke. */
import { checkUser } from "../../auth/permission.ts";
import { encodeHeader } from "../../codec/header.ts";
import { decodeLeaseId } from "../../codec/lease.ts";
import { raftField } from "../../codec/raft-internal.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { withCaller } from "../caller.ts";
import { unary } from "../handler.ts";
import type { LeaseSource } from "../rpc-server.ts";

export function revokeHandler(server: LeaseSource): SingleRequestHandler {
  return unary((call, message) => {
    const request = decodeLeaseId(message);
    withCaller(server, call, (caller) => {
      checkUser(server.auth.state, caller);
      const proposal = { field: raftField.leaseRevoke, bytes: message, request, caller };
      server.propose<void>(proposal, (error) => {
        if (error) call.fail(error);
        else call.respond(encodeHeader(server.header()));
      });
    });
  });
}

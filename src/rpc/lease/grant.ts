/** Lease.LeaseGrant. */
import { checkUser } from "../../auth/permission.ts";
import {
  decodeLeaseGrantRequest,
  encodeLeaseGrantRequest,
  encodeLeaseGrantResponse,
  type LeaseGrantRequest,
} from "../../codec/lease.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { noLease } from "../../lib/ids.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { withCaller } from "../caller.ts";
import { unary } from "../handler.ts";
import type { LeaseSource } from "../rpc-server.ts";

export function grantHandler(server: LeaseSource): SingleRequestHandler {
  return unary((call, message) => {
    const asked = decodeLeaseGrantRequest(message);
    // The id has to be in the entry, so that every member grants the same lease.
    const request = asked.id === noLease ? { ...asked, id: server.newLeaseId() } : asked;
    const bytes = request === asked ? message : encodeLeaseGrantRequest(request);
    withCaller(server, call, (caller) => {
      checkUser(server.auth.state, caller);
      const proposal = { field: raftField.leaseGrant, bytes, request, caller };
      server.propose<LeaseGrantRequest>(proposal, (error, granted) => {
        if (error) call.fail(error);
        else call.respond(encodeLeaseGrantResponse(server.header(), granted!));
      });
    });
  });
}

/** Lease.LeaseTimeToLive. A lease that does not exist is answered with a TTL of -1, not with an error. */
import {
  LeaseTimeToLiveRequestSchema,
  LeaseTimeToLiveResponseSchema,
} from "../../gen/etcdserverpb/rpc_pb.ts";
import type { LeaseId } from "../../lib/ids.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { linearized, stepped, unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { LeaseSource } from "../rpc-server.ts";

export function timeToLiveHandler(server: LeaseSource): SingleRequestHandler {
  return unaryMessages(LeaseTimeToLiveRequestSchema, LeaseTimeToLiveResponseSchema, async (request, call) => {
    const id = request.ID as LeaseId;
    // A lease granted before this call was made has to be known here.
    await linearized(server);
    const keys = request.keys ? await stepped(server, call, server.store.keysOfLease(id)) : [];
    const header = responseHeader(server);
    const lease = server.lessor.timeToLive(id, server.monotonicMs());
    if (!lease) return { header, ID: id, TTL: -1n };
    return {
      header,
      ID: id,
      TTL: BigInt(lease.remainingSeconds ?? 0),
      grantedTTL: BigInt(lease.grantedTtlSeconds),
      keys,
    };
  });
}

/** Lease.LeaseTimeToLive. A lease that does not exist is answered with a TTL of -1, not with an error. */
import { checkUser } from "../../auth/permission.ts";
import { EtcdError } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import {
  LeaseTimeToLiveRequestSchema,
  LeaseTimeToLiveResponseSchema,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import type { LeaseId } from "../../lib/ids.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { callerOf, checkNotStale } from "../caller.ts";
import { stepped, unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { LeaseSource } from "../rpc-server.ts";
import { checkReadable } from "./check-keys.ts";

export function timeToLiveHandler(server: LeaseSource): SingleRequestHandler {
  return unaryMessages(LeaseTimeToLiveRequestSchema, LeaseTimeToLiveResponseSchema, async (request, call) => {
    const id = request.ID as LeaseId;
    const caller = await callerOf(server, call);
    checkUser(server.auth.state, caller);
    try {
      const { grantedTtlSeconds, remainingSeconds, keys } = await server.leaseTimes(id, request.keys);
      if (request.keys && caller) {
        await stepped(server, call, checkReadable(server, caller, keys));
        checkNotStale(server, caller);
      }
      return {
        header: responseHeader(server),
        ID: id,
        TTL: BigInt(remainingSeconds),
        grantedTTL: BigInt(grantedTtlSeconds),
        keys: [...keys],
      };
    } catch (error) {
      if (EtcdError.from(error).message !== errors.leaseNotFound.text) throw error;
      return { header: responseHeader(server), ID: id, TTL: -1n };
    }
  });
}

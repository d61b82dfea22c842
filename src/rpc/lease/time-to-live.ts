/** Lease.LeaseTimeToLive. A lease that does not exist is answered with a TTL of -1, not with an error. */
import { EtcdError } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import {
  LeaseTimeToLiveRequestSchema,
  LeaseTimeToLiveResponseSchema,
} from "../../gen/etcdserverpb/rpc_pb.ts";
import type { LeaseId } from "../../lib/ids.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { LeaseSource } from "../rpc-server.ts";

export function timeToLiveHandler(server: LeaseSource): SingleRequestHandler {
  return unaryMessages(LeaseTimeToLiveRequestSchema, LeaseTimeToLiveResponseSchema, async (request) => {
    const id = request.ID as LeaseId;
    try {
      const { grantedTtlSeconds, remainingSeconds, keys } = await server.leaseTimes(id, request.keys);
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

/** Lease.LeaseLeases. */
import { LeaseLeasesRequestSchema, LeaseLeasesResponseSchema } from "../../gen/etcdserverpb/rpc_pb.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { stepped, unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { LeaseSource } from "../rpc-server.ts";

export function leasesHandler(server: LeaseSource): SingleRequestHandler {
  return unaryMessages(LeaseLeasesRequestSchema, LeaseLeasesResponseSchema, async (_request, call) => {
    const ids = await stepped(server, call, server.lessor.list());
    return { header: responseHeader(server), leases: ids.map((ID) => ({ ID })) };
  });
}

/** Lease.LeaseLeases. */
import { checkUser } from "../../auth/permission.ts";
import { LeaseLeasesRequestSchema, LeaseLeasesResponseSchema } from "../../gen/tables/etcdserverpb/rpc.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { callerOf, checkNotStale } from "../caller.ts";
import { stepped, unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { LeaseSource } from "../rpc-server.ts";
import { checkLeasesReadable } from "./check-keys.ts";

export function leasesHandler(server: LeaseSource): SingleRequestHandler {
  return unaryMessages(LeaseLeasesRequestSchema, LeaseLeasesResponseSchema, async (_request, call) => {
    const ids = await stepped(server, call, server.lessor.list());
    const caller = await callerOf(server, call);
    checkUser(server.auth.state, caller);
    if (caller) {
      await stepped(server, call, checkLeasesReadable(server, caller, ids));
      checkNotStale(server, caller);
    }
    return { header: responseHeader(server), leases: ids.map((ID) => ({ ID })) };
  });
}

/** Maintenance.Defragment: gives free space back while everything else goes on. */
import { DefragmentRequestSchema, DefragmentResponseSchema } from "../../gen/tables/etcdserverpb/rpc.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { unaryMessages } from "../handler.ts";
import type { MaintenanceSource } from "../rpc-server.ts";

export function defragmentHandler(server: MaintenanceSource): SingleRequestHandler {
  return unaryMessages(DefragmentRequestSchema, DefragmentResponseSchema, async () => {
    await server.defragment();
    return {};
  });
}

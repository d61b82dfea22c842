/** Maintenance.Downgrade: whether the cluster can go down a minor version, begin that, call it off. */
import { errors } from "../../errors/table.ts";
import {
  DowngradeRequest_DowngradeAction as Action,
  DowngradeRequestSchema,
  DowngradeResponseSchema,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { MaintenanceSource } from "../rpc-server.ts";

export function downgradeHandler(server: MaintenanceSource): SingleRequestHandler {
  return unaryMessages(DowngradeRequestSchema, DowngradeResponseSchema, async ({ action, version }) => {
    const { downgrades } = server;
    if (action === Action.VALIDATE) await downgrades.validate(version);
    else if (action === Action.ENABLE) await downgrades.enable(version);
    else if (action === Action.CANCEL) await downgrades.cancel();
    else throw errors.unknownMethod();
    // The cluster's version without its patch.
    const current = server.cluster.version?.replace(/\.\d+$/, "") ?? "not_decided";
    return { header: responseHeader(server), version: current };
  });
}

/**
 * Loads what Connect and gRPC-web need when the first such request comes: the library, and the generated descriptors, which
 * are parsed as they are loaded. All of it takes some 25 ms, so it is done in portions, with room for everything else
 * between them. (Portions are files of ours: of a package named here the bundler would make a part of the start.)
 */
import { setImmediate } from "node:timers/promises";
import type { Hono } from "hono";
import type { ConnectOptions } from "./connect.ts";

/** Adds the paths of all services to `app`. */
export async function loadConnect(app: Hono, options: Omit<ConnectOptions, "services">): Promise<void> {
  const portions = [
    () => import("../../gen/mvccpb/kv_pb.ts"),
    () => import("../../gen/authpb/auth_pb.ts"),
    () => import("../../gen/etcdserverpb/rpc_pb.ts"),
    () => import("../../gen/etclitepb/explore_pb.ts"),
    () => import("../../gen/v3electionpb/v3election_pb.ts"),
    () => import("../../gen/v3lockpb/v3lock_pb.ts"),
    () => import("../../gen/grpc/health/v1/health_pb.ts"),
  ];
  for (const load of portions) {
    await load();
    await setImmediate();
  }
  const { services } = await import("./services.ts");
  const { addConnect } = await import("./connect.ts");
  for (const service of services) {
    await setImmediate();
    addConnect(app, { ...options, services: [service] });
  }
}

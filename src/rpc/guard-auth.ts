/** Calls that never reach the log, or whose entries are not checked: who may make them is decided before their handlers. */

import { checkAdmin, checkUser } from "../auth/permission.ts";
import { fromBinary } from "../codec/messages.ts";
import { AlarmRequest_AlarmAction, AlarmRequestSchema } from "../gen/tables/etcdserverpb/rpc.ts";
import type { GrpcHandler, SingleRequestHandler } from "../transport/grpc.ts";
import { type AuthSource, withCaller } from "./caller.ts";

/** Whoever is a user, or the root role only. */
export type AuthNeed = "user" | "admin" | ((message: Uint8Array) => "user" | "admin");

const maintenance = "/etcdserverpb.Maintenance";
const cluster = "/etcdserverpb.Cluster";

/** What is not named here is checked by its handler or at apply, or is open to all. */
const needs: Readonly<Record<string, AuthNeed>> = {
  "/etcdserverpb.KV/Compact": "admin",
  [`${maintenance}/Alarm`]: (message) => (isAlarmList(message) ? "user" : "admin"),
  [`${maintenance}/Status`]: "user",
  [`${maintenance}/Defragment`]: "admin",
  [`${maintenance}/Hash`]: "admin",
  [`${maintenance}/HashKV`]: "admin",
  [`${maintenance}/Snapshot`]: "admin",
  [`${maintenance}/MoveLeader`]: "admin",
  [`${maintenance}/Downgrade`]: "admin",
  [`${cluster}/MemberAdd`]: "admin",
  [`${cluster}/MemberRemove`]: "admin",
  [`${cluster}/MemberUpdate`]: "admin",
  [`${cluster}/MemberPromote`]: "admin",
  "/etclitepb.Explore/RevisionAt": "user",
};

export function guardAuth(server: AuthSource, path: string, handler: GrpcHandler): GrpcHandler {
  const need = needs[path];
  if (need === undefined || handler.kind !== "single") return handler;
  return guarded(server, need, handler);
}

function guarded(server: AuthSource, need: AuthNeed, handler: SingleRequestHandler): SingleRequestHandler {
  return {
    kind: "single",
    onRequest(call, message) {
      if (!server.auth.enabled) {
        handler.onRequest(call, message);
        return;
      }
      withCaller(server, call, (caller) => {
        const needed = typeof need === "string" ? need : need(message);
        if (needed === "admin") checkAdmin(server.auth.state, caller);
        else checkUser(server.auth.state, caller);
        handler.onRequest(call, message);
      });
    },
  };
}

/** What cannot be read is for the handler to refuse, but not for everybody to find out about. */
function isAlarmList(message: Uint8Array): boolean {
  try {
    return fromBinary(AlarmRequestSchema, message).action === AlarmRequest_AlarmAction.GET;
  } catch {
    return false;
  }
}

/** Cluster.MemberList. */
import { checkUser } from "../../auth/permission.ts";
import { MemberListRequestSchema, MemberListResponseSchema } from "../../gen/tables/etcdserverpb/rpc.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { callerOf } from "../caller.ts";
import { linearized, unaryMessages } from "../handler.ts";
import type { RpcServer } from "../rpc-server.ts";
import { memberHeader, memberMessages } from "./member-messages.ts";

export function memberListHandler(server: RpcServer): SingleRequestHandler {
  return unaryMessages(MemberListRequestSchema, MemberListResponseSchema, async (request, call) => {
    if (request.linearizable) await linearized(server);
    checkUser(server.auth.state, await callerOf(server, call));
    return { header: memberHeader(server), members: memberMessages(server.cluster.members()) };
  });
}

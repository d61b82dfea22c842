/** Cluster.MemberList. */
import { MemberListRequestSchema, MemberListResponseSchema } from "../../gen/etcdserverpb/rpc_pb.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { linearized, unaryMessages } from "../handler.ts";
import type { RpcServer } from "../rpc-server.ts";
import { memberHeader, memberMessages } from "./member-messages.ts";

export function memberListHandler(server: RpcServer): SingleRequestHandler {
  return unaryMessages(MemberListRequestSchema, MemberListResponseSchema, async (request) => {
    if (request.linearizable) await linearized(server);
    return { header: memberHeader(server), members: memberMessages(server.cluster.members()) };
  });
}

/** Cluster.MemberRemove. */
import { MemberRemoveRequestSchema, MemberRemoveResponseSchema } from "../../gen/tables/etcdserverpb/rpc.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { unaryMessages } from "../handler.ts";
import type { MembersService } from "../rpc-server.ts";
import { memberHeader, memberMessages } from "./member-messages.ts";

export function memberRemoveHandler(server: MembersService): SingleRequestHandler {
  return unaryMessages(MemberRemoveRequestSchema, MemberRemoveResponseSchema, async ({ ID }) => {
    const members = await server.members.remove(ID as MemberId);
    return { header: memberHeader(server), members: memberMessages(members) };
  });
}

/** Cluster.MemberPromote: makes a voter of a learner that has caught up. */
import {
  MemberPromoteRequestSchema,
  MemberPromoteResponseSchema,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { unaryMessages } from "../handler.ts";
import type { MembersService } from "../rpc-server.ts";
import { memberHeader, memberMessages } from "./member-messages.ts";

export function memberPromoteHandler(server: MembersService): SingleRequestHandler {
  return unaryMessages(MemberPromoteRequestSchema, MemberPromoteResponseSchema, async ({ ID }) => {
    const members = await server.members.promote(ID as MemberId);
    return { header: memberHeader(server), members: memberMessages(members) };
  });
}

/** Cluster.MemberUpdate: other peer URLs. */
import { MemberUpdateRequestSchema, MemberUpdateResponseSchema } from "../../gen/tables/etcdserverpb/rpc.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { unaryMessages } from "../handler.ts";
import type { MembersService } from "../rpc-server.ts";
import { checkedUrls, memberHeader, memberMessages } from "./member-messages.ts";

export function memberUpdateHandler(server: MembersService): SingleRequestHandler {
  return unaryMessages(MemberUpdateRequestSchema, MemberUpdateResponseSchema, async ({ ID, peerURLs }) => {
    const members = await server.members.update(ID as MemberId, checkedUrls(peerURLs));
    return { header: memberHeader(server), members: memberMessages(members) };
  });
}

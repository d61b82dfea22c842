/** Cluster.MemberAdd: a voter or a learner. */
import { MemberAddRequestSchema, MemberAddResponseSchema } from "../../gen/tables/etcdserverpb/rpc.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { unaryMessages } from "../handler.ts";
import type { MembersService } from "../rpc-server.ts";
import { checkedUrls, memberHeader, memberMessage, memberMessages } from "./member-messages.ts";

export function memberAddHandler(server: MembersService): SingleRequestHandler {
  return unaryMessages(MemberAddRequestSchema, MemberAddResponseSchema, async ({ peerURLs, isLearner }) => {
    const { member, members } = await server.members.add(checkedUrls(peerURLs), isLearner);
    const added = { ...memberMessage(member), name: "", clientURLs: [] };
    return { header: memberHeader(server), member: added, members: memberMessages(members) };
  });
}

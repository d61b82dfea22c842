/** Cluster.MemberUpdate: other peer URLs. */
import { errors } from "../../errors/table.ts";
import { MemberUpdateRequestSchema, MemberUpdateResponseSchema } from "../../gen/tables/etcdserverpb/rpc.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { unaryMessages } from "../handler.ts";
import type { MembersService } from "../rpc-server.ts";
import { checkedUrls, memberHeader, memberMessages } from "./member-messages.ts";

export function memberUpdateHandler(server: MembersService): SingleRequestHandler {
  return unaryMessages(MemberUpdateRequestSchema, MemberUpdateResponseSchema, async ({ ID, peerURLs }) => {
    const members = await server.members.update(ID as MemberId, urlsFor(server, ID as MemberId, peerURLs));
    return { header: memberHeader(server), members: memberMessages(members) };
  });
}

/** etcd looks for the member first, and takes URLs that it cannot read: those are refused here. */
function urlsFor(server: MembersService, id: MemberId, texts: readonly string[]): string[] {
  try {
    return checkedUrls(texts);
  } catch (error) {
    if (server.cluster.members().some((member) => member.id === id)) throw error;
    throw errors.memberNotFound();
  }
}

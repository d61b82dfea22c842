/** Cluster.MemberAdd: a voter or a learner. */
import { errors } from "../../errors/table.ts";
import { MemberAddRequestSchema, MemberAddResponseSchema } from "../../gen/etcdserverpb/rpc_pb.ts";
import { normalizeEtcdUrls, parseEtcdUrl } from "../../lib/etcd-url.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { unaryMessages } from "../handler.ts";
import type { MembersService } from "../rpc-server.ts";
import { memberHeader, memberMessage, memberMessages } from "./member-messages.ts";

export function memberAddHandler(server: MembersService): SingleRequestHandler {
  return unaryMessages(MemberAddRequestSchema, MemberAddResponseSchema, async ({ peerURLs, isLearner }) => {
    const { member, members } = await server.members.add(checkedUrls(peerURLs), isLearner);
    const added = { ...memberMessage(member), name: "", clientURLs: [] };
    return { header: memberHeader(server), member: added, members: memberMessages(members) };
  });
}

/** Sorted, as etcd keeps them. Throws ErrMemberBadURLs. */
function checkedUrls(texts: readonly string[]): string[] {
  if (texts.length === 0) throw errors.memberBadUrls();
  try {
    return normalizeEtcdUrls(texts.map(parseEtcdUrl)).map(({ href }) => href);
  } catch {
    throw errors.memberBadUrls();
  }
}

/** Members as the cluster service tells them, and is told of them. */
import { errors } from "../../errors/table.ts";
import { normalizeEtcdUrls, parseEtcdUrl } from "../../lib/etcd-url.ts";
import type { Member } from "../../membership/member.ts";
import type { ClusterSource } from "../rpc-server.ts";

/** The header of all answers about members: etcd leaves the revision out. */
export function memberHeader(server: ClusterSource) {
  const { cluster } = server;
  return { clusterId: cluster.id, memberId: cluster.localId, raftTerm: BigInt(server.raftStatus().term) };
}

export function memberMessage(member: Member) {
  return {
    ID: member.id,
    name: member.name,
    peerURLs: [...member.peerUrls],
    clientURLs: [...member.clientUrls],
    isLearner: member.isLearner,
  };
}

export const memberMessages = (members: readonly Member[]) => members.map(memberMessage);

/** Sorted, as etcd keeps them. Throws ErrMemberBadURLs. */
export function checkedUrls(texts: readonly string[]): string[] {
  if (texts.length === 0) throw errors.memberBadUrls();
  try {
    return normalizeEtcdUrls(texts.map(parseEtcdUrl)).map(({ href }) => href);
  } catch {
    throw errors.memberBadUrls();
  }
}

/** Members as the cluster service tells them. */

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

/** Lists of members and endpoints as rows of words, for the formats "simple" and "table". */
import type { MemberListResponse } from "../../client/messages/cluster.ts";
import { humanBytes } from "../../lib/human-bytes.ts";
import type { EndpointHash, EndpointHealth, EndpointStatus } from "./results.ts";

export const hex = (id: bigint | undefined): string => (id ?? 0n).toString(16);

export const memberHeads = ["ID", "Status", "Name", "Peer Addrs", "Client Addrs", "Is Learner"];

export function memberRows({ members }: MemberListResponse): string[][] {
  return members.map((member) => [
    hex(member.ID),
    member.name === "" ? "unstarted" : "started",
    member.name,
    member.peerURLs.join(","),
    member.clientURLs.join(","),
    String(member.isLearner),
  ]);
}

export const healthHeads = ["endpoint", "health", "took", "error"];

export function healthRows(list: readonly EndpointHealth[]): string[][] {
  return list.map(({ endpoint, health, took, error }) => [endpoint, String(health), took, error]);
}

export const statusHeads = [
  "endpoint",
  "ID",
  "version",
  "storage version",
  "db size",
  "in use",
  "percentage not in use",
  "quota",
  "is leader",
  "is learner",
  "raft term",
  "raft index",
  "raft applied index",
  "errors",
  "downgrade target version",
  "downgrade enabled",
];

export function statusRows(list: readonly EndpointStatus[]): string[][] {
  return list.map(({ endpoint, status }) => [
    endpoint,
    hex(status.header?.member_id),
    status.version,
    status.storageVersion,
    humanBytes(Number(status.dbSize)),
    humanBytes(Number(status.dbSizeInUse)),
    `${status.dbSize === 0n ? 0n : 100n - (status.dbSizeInUse * 100n) / status.dbSize}%`,
    humanBytes(Number(status.dbSizeQuota)),
    String(status.leader === (status.header?.member_id ?? 0n)),
    String(status.isLearner),
    String(status.raftTerm),
    String(status.raftIndex),
    String(status.raftAppliedIndex),
    status.errors.join(", "),
    status.downgradeInfo?.targetVersion ?? "",
    String(status.downgradeInfo?.enabled ?? false),
  ]);
}

export const hashHeads = ["endpoint", "hash", "hash_revision"];

export function hashRows(list: readonly EndpointHash[]): string[][] {
  return list.map(({ endpoint, hash }) => [endpoint, String(hash.hash), String(hash.hash_revision)]);
}

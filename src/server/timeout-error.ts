/** What a client is told when a proposal had no end in time: etcd guesses at the reason, and so does this. */
import type { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import { type MemberId, noMember } from "../lib/ids.ts";
import type { Cluster } from "../membership/cluster.ts";
import {
  type Connectivity,
  countConnectedSince,
  isConnectedSince,
  quorumOf,
} from "./members/connectivity.ts";

export interface TimeoutCircumstances {
  readonly peers: Connectivity;
  readonly cluster: Cluster;
  readonly leader: MemberId;
  /** When the leader of now was first heard of. */
  readonly leaderSinceMs: number;
  readonly electionTimeoutMs: number;
}

/** For a request of `startMs`. */
export function timeoutError(startMs: number, circumstances: TimeoutCircumstances): EtcdError {
  const { peers, cluster, leader, leaderSinceMs, electionTimeoutMs } = circumstances;
  // The leader before was lost about two election timeouts before the one of now was found.
  const leaderLostMs = leaderSinceMs - 2 * electionTimeoutMs;
  if (startMs > leaderLostMs && startMs < leaderSinceMs) return errors.timeoutDueToLeaderFail();
  if (leader === noMember) return errors.timeout();
  const connected =
    leader === cluster.localId
      ? isConnectedToQuorum(peers, cluster, startMs)
      : isConnectedSince(peers, leader, startMs);
  return connected ? errors.timeout() : errors.timeoutDueToConnectionLost();
}

function isConnectedToQuorum(peers: Connectivity, cluster: Cluster, sinceMs: number): boolean {
  const members = cluster.members();
  return countConnectedSince(peers, cluster.localId, members, sinceMs) >= quorumOf(members.length);
}

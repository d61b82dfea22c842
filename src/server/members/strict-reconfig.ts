/**
 * `--strict-reconfig-check`: changes of the membership that could leave the cluster without a quorum are refused before
 * they are proposed. The rules are etcd's.
 */
import { errors } from "../../errors/table.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { Cluster } from "../../membership/cluster.ts";
import type { Member } from "../../membership/member.ts";
import { type Connectivity, countConnectedSince, quorumOf } from "./connectivity.ts";

/** How long a member has to be connected to count as healthy. */
const healthIntervalMs = 5_000;

export interface ReconfigContext {
  readonly cluster: Cluster;
  readonly peers: Connectivity;
  readonly nowMs: number;
}

/** Throws ErrMemberNotEnoughStarted or ErrUnhealthy if a member should not be added now. */
export function checkAdd(context: ReconfigContext, isLearner: boolean): void {
  const { cluster, peers, nowMs } = context;
  const voters = votersOf(cluster);
  const started = voters.filter(isStarted).length;
  // Whoever restores a cluster from one member adds the second one while nobody else is there.
  const restoring = started === 1 && voters.length === 1;
  if (!isLearner && !restoring && started < quorumOf(voters.length + 1))
    throw errors.memberNotEnoughStarted();
  if (voters.length === 1) return;
  const connected = countConnectedSince(peers, cluster.localId, voters, nowMs - healthIntervalMs);
  // The new member counts as one that is not there.
  if (connected < quorumOf(voters.length + 1)) throw errors.unhealthy();
}

/** The same for the removal of a member. */
export function checkRemove(context: ReconfigContext, id: MemberId): void {
  const { cluster, peers, nowMs } = context;
  if (cluster.member(id)?.isLearner) return;
  const voters = votersOf(cluster);
  const left = voters.filter((member) => member.id !== id);
  if (left.filter(isStarted).length < quorumOf(left.length)) throw errors.memberNotEnoughStarted();
  // One that is down is no part of the quorum that is active now.
  if (id !== cluster.localId && peers.activeSinceMs(id) === undefined) return;
  const connected = countConnectedSince(peers, cluster.localId, voters, nowMs - healthIntervalMs);
  if (connected - 1 < quorumOf(voters.length - 1)) throw errors.unhealthy();
}

/** The same for a learner that is to become a voter: it is there, for it has just been found to be up to date. */
export function checkPromote({ cluster }: Pick<ReconfigContext, "cluster">): void {
  const voters = votersOf(cluster);
  if (voters.filter(isStarted).length + 1 < quorumOf(voters.length + 1))
    throw errors.memberNotEnoughStarted();
}

/** A member has a name once it has started for the first time. */
const isStarted = ({ name }: Member): boolean => name !== "";

const votersOf = (cluster: Cluster): Member[] => cluster.members().filter(({ isLearner }) => !isLearner);

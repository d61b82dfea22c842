/**
 * How a leader's commit index moves.
 */

import { releaseEarlyReads } from "./leader/read-index.ts";
import type { Raft } from "./raft.ts";

/**
 * Commits what a quorum has on disk, if that reaches an entry of the leader's own term: entries of earlier terms are
 * never committed by counting alone (5.4.2, figure 8). Returns whether the commit index moved.
 */
export function maybeCommit(raft: Raft): boolean {
  const index = raft.tracker.committed();
  if (index <= raft.log.committed || !raft.log.matches(index, raft.term)) return false;
  raft.log.commitTo(index);
  // Followers learn the new commit index with the next append, or by an empty one.
  raft.appendsOwed = true;
  releaseEarlyReads(raft);
  return true;
}

/** The leader's own disk has caught up to `log.stable`: it counts as one member of the quorum (10.2.1). */
export function acknowledgeSelf(raft: Raft): void {
  const self = raft.tracker.progress.get(raft.id);
  if (self?.acknowledge(raft.log.stable)) maybeCommit(raft);
}

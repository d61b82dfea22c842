/**
 * The changes of role (Raft paper, figure 4).
 */
import { assert } from "../lib/assert.ts";
import { type MemberId, noMember, type RaftIndex, type Term } from "../lib/ids.ts";
import { EntryType } from "../lib/raft-entry.ts";
import { noBytes } from "../lib/raft-message.ts";
import type { Raft } from "./raft.ts";

/** Follows `leader` (noMember if it is not known yet) in `term`. */
export function becomeFollower(raft: Raft, term: Term, leader: MemberId): void {
  raft.reset(term);
  raft.role = "follower";
  raft.leader = leader;
  raft.config.logger.info(`${raft.name} became follower at term ${raft.term}`);
}

/** Asks who would vote for it. Neither its term nor its vote changes (dissertation 9.6). */
export function becomePreCandidate(raft: Raft): void {
  assert(raft.role !== "leader", "raft: invalid transition [leader -> pre-candidate]");
  raft.tracker.resetVotes();
  raft.leader = noMember;
  raft.role = "preCandidate";
  raft.config.logger.info(`${raft.name} became pre-candidate at term ${raft.term}`);
}

/** Begins a new term and votes for itself (5.2). */
export function becomeCandidate(raft: Raft): void {
  assert(raft.role !== "leader", "raft: invalid transition [leader -> candidate]");
  raft.reset((raft.term + 1) as Term);
  raft.castVote(raft.id);
  raft.role = "candidate";
  raft.config.logger.info(`${raft.name} became candidate at term ${raft.term}`);
}

/**
 * Leads `raft.term`, and begins with an empty entry: only an entry of its own term lets it commit those of earlier
 * ones (5.4.2), and know what is committed at all (8).
 */
export function becomeLeader(raft: Raft): void {
  assert(raft.role === "candidate", `raft: invalid transition [${raft.role} -> leader]`);
  const { log, tracker } = raft;
  raft.reset(raft.term);
  raft.role = "leader";
  raft.leader = raft.id;
  // Conservative: an uncommitted configuration change may be anywhere in the log.
  raft.pendingConfIndex = log.last;
  const self = tracker.progress.get(raft.id);
  assert(self !== undefined, "raft: a leader must be a member");
  self.becomeReplicate();
  self.recentActive = true;
  // Its own log counts only as far as it is on its disk.
  self.acknowledge(log.stable);
  log.append({
    type: EntryType.normal,
    term: raft.term,
    index: (log.last + 1) as RaftIndex,
    data: noBytes,
  });
  for (const [id, progress] of tracker.progress) if (id !== raft.id) progress.appendOwed = true;
  raft.appendsOwed = true;
  raft.config.logger.info(`${raft.name} became leader at term ${raft.term}`);
}

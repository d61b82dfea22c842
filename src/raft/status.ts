/**
 * A look at a member from outside, for metrics, Status calls and transcripts.
 */
import type { MemberId, RaftIndex, Term } from "../lib/ids.ts";
import type { ConfState } from "../lib/raft-entry.ts";
import type { Raft, Role } from "./raft.ts";
import type { ProgressState } from "./tracker/progress.ts";

export interface ProgressStatus {
  readonly match: RaftIndex;
  readonly next: RaftIndex;
  readonly state: ProgressState;
  readonly isLearner: boolean;
  readonly recentActive: boolean;
  readonly paused: boolean;
  readonly pendingSnapshot: RaftIndex;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
  readonly inflightFull: boolean;
}

export interface RaftStatus {
  readonly id: MemberId;
  readonly term: Term;
  readonly vote: MemberId;
  readonly role: Role;
  readonly leader: MemberId;
  readonly leadTransferee: MemberId;
  readonly isLearner: boolean;
  readonly commit: RaftIndex;
  readonly applied: RaftIndex;
  /** The last entry known to be on this member's disk. */
  readonly stable: RaftIndex;
  readonly firstIndex: RaftIndex;
  readonly lastIndex: RaftIndex;
  /** Bytes of the entries in memory. */
  readonly logBytes: number;
  readonly uncommittedBytes: number;
  readonly pendingReads: number;
  readonly confState: ConfState;
  /** Every member's progress; empty unless this one leads. */
  readonly progress: ReadonlyMap<MemberId, ProgressStatus>;
}

export function statusOf(raft: Raft): RaftStatus {
  const { log, tracker } = raft;
  return {
    id: raft.id,
    term: raft.term,
    vote: raft.vote,
    role: raft.role,
    leader: raft.leader,
    leadTransferee: raft.leadTransferee,
    isLearner: raft.isLearner,
    commit: log.committed,
    applied: log.applied,
    stable: log.stable,
    firstIndex: log.first,
    lastIndex: log.last,
    logBytes: log.bytes,
    uncommittedBytes: raft.uncommittedBytes,
    pendingReads: raft.readOnly.pending + raft.earlyReads.length,
    confState: tracker.config,
    progress: raft.role === "leader" ? progressOf(raft) : new Map(),
  };
}

function progressOf(raft: Raft): Map<MemberId, ProgressStatus> {
  const members = new Map<MemberId, ProgressStatus>();
  for (const [id, progress] of raft.tracker.progress) {
    members.set(id, {
      match: progress.match as RaftIndex,
      next: progress.next as RaftIndex,
      state: progress.state,
      isLearner: progress.isLearner,
      recentActive: progress.recentActive,
      paused: progress.isPaused,
      pendingSnapshot: progress.pendingSnapshot as RaftIndex,
      inflightMessages: progress.inflights.count,
      inflightBytes: progress.inflights.bytes,
      inflightFull: progress.inflights.full,
    });
  }
  return members;
}

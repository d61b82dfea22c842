/**
 * The durable shapes of Raft (raftpb.Entry, HardState, ConfState, SnapshotMetadata) as plain objects. They live
 * here, below both `raft` and `wal`, because those two do not import each other.
 */
import type { MemberId, RaftIndex, Term } from "./ids.ts";

/** raftpb.EntryType. */
export const EntryType = { normal: 0, confChange: 1, confChangeV2: 2 } as const;
export type EntryType = (typeof EntryType)[keyof typeof EntryType];

/** One entry of the Raft log. `data` is never changed after the entry is made. */
export interface Entry {
  readonly type: EntryType;
  /** The core fills these two in when a leader appends; they do not change afterwards. */
  term: Term;
  index: RaftIndex;
  readonly data: Uint8Array;
  /**
   * What `data` decodes to, when the proposer still has it: saves the member that proposed an entry from decoding
   * its own bytes. Never written, never sent; must mean exactly what `data` says.
   */
  decoded?: unknown;
}

/** What a member must have on disk before it answers anybody (Raft paper, figure 2, "persistent state"). */
export interface HardState {
  readonly term: Term;
  /** The candidate voted for in `term`, 0n for none. */
  readonly vote: MemberId;
  readonly commit: RaftIndex;
}

/** raftpb.ConfState: the members by role. Arrays are sorted. */
export interface ConfState {
  readonly voters: readonly MemberId[];
  readonly learners: readonly MemberId[];
  readonly votersOutgoing: readonly MemberId[];
  readonly learnersNext: readonly MemberId[];
  readonly autoLeave: boolean;
}

/** Where a snapshot stands in the log. */
export interface SnapshotMark {
  readonly index: RaftIndex;
  readonly term: Term;
  readonly confState: ConfState;
}

export const emptyConfState: ConfState = {
  voters: [],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};

/**
 * What a member starts from: the contents of its disk.
 */
import type { MemberId, RaftIndex, Term } from "../../lib/ids.ts";
import type { ConfState, Entry, SnapshotMark } from "../../lib/raft-entry.ts";

/**
 * Entries that left memory but can still be had at once, for followers that lag. Both answer undefined for what is
 * gone; then the follower gets a snapshot instead. Optional: without it memory is all there is.
 */
export interface OlderEntries {
  term(index: RaftIndex): Term | undefined;
  /** Entries from `from`, without holes, up to and without `to`, of about `maxBytes` together but at least one. */
  entries(from: RaftIndex, to: RaftIndex, maxBytes: number): readonly Entry[] | undefined;
}

export interface LogStart {
  /** Where the log begins, if not at index 1: the entry before the first one, and the state it stands for. */
  readonly snapshot: SnapshotMark | undefined;
  /** All entries after `snapshot`, without holes. They are on disk. */
  readonly entries: readonly Entry[];
  /** HardState.commit. It may lag behind `applied`, because it is not synced for its own sake. */
  readonly commit: RaftIndex;
  /** The state machine holds everything up to here; only entries after it are handed out to be applied. */
  readonly applied: RaftIndex;
  readonly older?: OlderEntries | undefined;
}

/** Everything a member starts from. A new member has `freshStart`. */
export interface RaftStart extends Omit<LogStart, "commit"> {
  readonly hardState:
    | { readonly term: Term; readonly vote: MemberId; readonly commit: RaftIndex }
    | undefined;
  /** The configuration in force at `applied`. */
  readonly confState: ConfState;
}

/** What a log amounts to at one moment: the beginning of each segment repeats it, so that older ones can go. */
import type { RaftIndex, Term } from "../lib/ids.ts";
import type { HardState, SnapshotMark } from "../lib/raft-entry.ts";
import type { TermRuns } from "./term-runs.ts";

export interface LogState {
  /** Of the last entry, or of a snapshot mark beyond it. */
  readonly lastIndex: RaftIndex;
  readonly lastTerm: Term;
  readonly hardState: HardState | undefined;
  readonly snapshot: SnapshotMark | undefined;
}

export function emptyLogState(lastIndex: RaftIndex): LogState {
  return { lastIndex, lastTerm: 0 as Term, hardState: undefined, snapshot: undefined };
}

export function sameHardState(a: HardState | undefined, b: HardState): boolean {
  return a !== undefined && a.term === b.term && a.vote === b.vote && a.commit === b.commit;
}

/**
 * Where the log ends after a snapshot mark. A mark at an entry that the log has (or may have) leaves it as it is; any
 * other one replaces the log, which then goes on behind the mark (Raft paper, section 7).
 */
export function markReplacesLog(mark: SnapshotMark, lastIndex: number, terms: TermRuns): boolean {
  if (mark.index > lastIndex) return true;
  const term = terms.at(mark.index);
  return term !== undefined && term !== mark.term;
}

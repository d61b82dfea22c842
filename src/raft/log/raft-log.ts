/**
 * One member's log (Raft paper, 5.3), as far as it is in memory:
 *
 *    first                applied   applying    stable      handed      last
 *      |------------------------|----------|---------|-----------|---------|
 *      committed lies anywhere from applied to last
 *
 *   applied    the state machine has it           stable   it is on this member's disk
 *   applying   handed out to be applied           handed   handed out to be written
 *
 * Invariants: applied <= applying <= min(committed, stable), stable <= handed <= last, committed <= last, committed
 * never goes back, and nothing up to `committed` is ever replaced. Entries below `first` are gone from memory: they
 * may still be had from `older`, and otherwise whoever needs them gets a snapshot.
 */
import { assert, fail } from "../../lib/assert.ts";
import type { RaftIndex, Term } from "../../lib/ids.ts";
import { type Entry, EntryType, type SnapshotMark } from "../../lib/raft-entry.ts";
import type { Snapshot } from "../../lib/raft-message.ts";
import { PersistQueue } from "./persist-queue.ts";
import type { LogStart, OlderEntries } from "./start.ts";
import { EntryWindow, entryBytes } from "./window.ts";

export class RaftLog {
  readonly #window: EntryWindow;
  readonly #older: OlderEntries | undefined;
  /** The term of the entry before the first one in memory. */
  #termBeforeFirst: Term;
  #committed: RaftIndex;
  #applied: RaftIndex;
  #applying: RaftIndex;
  #stable: RaftIndex;
  #handed: RaftIndex;
  /** Slices that are being applied, as the index each ends at and its bytes. */
  #slices: { last: number; bytes: number }[] = [];
  #applyingBytes = 0;
  readonly #maxApplyingBytes: number;
  /** A snapshot from a leader that is not yet on disk; nothing is applied meanwhile. */
  #incoming: Snapshot | undefined;
  #incomingHanded = false;
  readonly inFlight = new PersistQueue();
  /** The newest state that this member can send as a snapshot. */
  mark: SnapshotMark | undefined;

  constructor(start: LogStart, maxApplyingBytes: number) {
    const { before, term, entries } = logOrigin(start);
    this.mark = start.snapshot;
    this.#older = start.older;
    this.#maxApplyingBytes = maxApplyingBytes;
    this.#window = new EntryWindow((before + 1) as RaftIndex);
    this.#termBeforeFirst = term;
    for (const entry of entries) {
      assert(entry.index === this.last + 1, `raft: hole in the log before entry ${entry.index}`);
      this.#window.push(entry);
    }
    const committed = Math.max(
      start.commit,
      start.applied,
      start.snapshot?.index ?? 0,
      impliedCommit(start.entries),
    );
    assert(
      committed >= before && committed <= this.last,
      `raft: commit ${committed} is out of range [${before}, ${this.last}]: was the log corrupted or lost?`,
    );
    assert(
      start.applied >= before,
      `raft: applied ${start.applied} is before the log, which starts at ${before}`,
    );
    this.#committed = committed as RaftIndex;
    this.#applied = start.applied;
    this.#applying = start.applied;
    this.#stable = this.last;
    this.#handed = this.last;
  }

  get first(): RaftIndex {
    return this.#window.first;
  }
  get last(): RaftIndex {
    return this.#window.last;
  }
  get lastTerm(): Term {
    return this.term(this.last)!;
  }
  get committed(): RaftIndex {
    return this.#committed;
  }
  get applied(): RaftIndex {
    return this.#applied;
  }
  get stable(): RaftIndex {
    return this.#stable;
  }
  /** Bytes of the entries in memory, overhead included. */
  get bytes(): number {
    return this.#window.bytes;
  }
  get installingSnapshot(): boolean {
    return this.#incoming !== undefined;
  }

  /** The term of the entry at `index`; undefined if it is after the end, or gone from memory and from `older`. */
  term(index: number): Term | undefined {
    if (index >= this.first) return index <= this.last ? this.#window.at(index).term : undefined;
    if (index === this.first - 1) return this.#termBeforeFirst;
    if (index === 0) return 0 as Term;
    return this.#older?.term(index as RaftIndex);
  }

  matches(index: number, term: Term): boolean {
    return this.term(index) === term;
  }

  /** Election restriction (5.4.1): is a log that ends with this entry at least as up-to-date as this one? */
  isUpToDate(lastTerm: Term, lastIndex: RaftIndex): boolean {
    const ours = this.lastTerm;
    return lastTerm > ours || (lastTerm === ours && lastIndex >= this.last);
  }

  /** A leader adds an entry to its own log, which only ever grows (5.3, Leader Append-Only). */
  append(entry: Entry): void {
    this.#window.push(entry);
  }

  /**
   * A follower takes what a leader sent after the entry (`prevIndex`, `prevTerm`), which the caller has seen to
   * match. An entry that conflicts is removed with all that follow it (5.3). Returns the last index now known to
   * match.
   */
  appendFromLeader(prevIndex: number, entries: readonly Entry[]): RaftIndex {
    let index = prevIndex + 1;
    for (const entry of entries) {
      assert(entry.index === index, `raft: entry ${entry.index} sent in the place of ${index}`);
      if (index <= this.last && this.term(index) !== entry.term) this.#truncateFrom(index);
      if (index > this.last) {
        if (entry.term < this.lastTerm) fail(`raft: term goes back to ${entry.term} at entry ${index}`);
        this.#window.push(entry);
      }
      index++;
    }
    return (index - 1) as RaftIndex;
  }

  #truncateFrom(index: number): void {
    if (index <= this.#committed) {
      fail(`raft: entry ${index} conflicts with a committed entry (committed to ${this.#committed})`);
    }
    this.#window.truncateFrom(index);
    this.#stable = Math.min(this.#stable, index - 1) as RaftIndex;
    this.#handed = Math.min(this.#handed, index - 1) as RaftIndex;
    this.inFlight.clip(index);
  }

  /** Raises the commit index. Never lowers it. */
  commitTo(index: number): void {
    if (index <= this.#committed) return;
    if (index > this.last) {
      fail(`raft: commit ${index} is out of range (last entry ${this.last}): was the log corrupted or lost?`);
    }
    this.#committed = index as RaftIndex;
  }

  /**
   * Where this log may match another, of which one entry is known: the largest position up to `index` whose term is
   * not above `term` (5.3, skipping a whole term at a time). Term 0 means that the term there is not known.
   */
  findConflict(index: number, term: Term): { index: RaftIndex; term: Term } {
    for (let at = index; at > 0; at--) {
      const ours = this.term(at);
      if (ours === undefined) return { index: at as RaftIndex, term: 0 as Term };
      if (ours <= term) return { index: at as RaftIndex, term: ours };
    }
    return { index: 0 as RaftIndex, term: 0 as Term };
  }

  /** Entries to send from `from` on, limited by bytes. Undefined if they are gone. `from` may be `last + 1`. */
  entriesFrom(from: number, maxBytes: number): { entries: readonly Entry[]; bytes: number } | undefined {
    if (from >= this.first) return this.#window.sliceBytes(from, this.last + 1, maxBytes);
    const entries = this.#older?.entries(from as RaftIndex, this.first, maxBytes);
    if (entries === undefined || entries.length === 0) return undefined;
    return { entries, bytes: entries.reduce((sum, entry) => sum + entryBytes(entry), 0) };
  }

  // --- to the disk -----------------------------------------------------------------------------------------------

  get hasUnwritten(): boolean {
    return this.#handed < this.last || (this.#incoming !== undefined && !this.#incomingHanded);
  }

  /** Entries that were not handed out yet, and hands them out. */
  takeUnwritten(): Entry[] {
    const entries = this.#window.slice(this.#handed + 1, this.last + 1);
    this.#handed = this.last;
    return entries;
  }

  takeIncomingSnapshot(): Snapshot | undefined {
    if (this.#incomingHanded) return undefined;
    this.#incomingHanded = this.#incoming !== undefined;
    return this.#incoming;
  }

  /** What was handed out up to `index` is on disk. */
  stableTo(index: number): void {
    assert(index <= this.#handed, "raft: an entry is durable that was never written");
    if (index > this.#stable) this.#stable = index as RaftIndex;
  }

  // --- snapshots and compaction ----------------------------------------------------------------------------------

  /** A leader's snapshot takes the place of the whole log (section 7). */
  restore(snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    assert(index > this.#committed, "raft: a snapshot must be ahead of the commit index");
    this.#window.restart((index + 1) as RaftIndex);
    this.#termBeforeFirst = term;
    this.inFlight.clip(0);
    this.#committed = index;
    this.#stable = index;
    this.#handed = index;
    this.#incoming = snapshot;
    this.#incomingHanded = false;
  }

  /** The snapshot at `index` is on disk and is the state machine's state. */
  snapshotInstalled(index: number): void {
    if (this.#incoming?.metadata.index === index) {
      this.mark = this.#incoming.metadata;
      this.#incoming = undefined;
      this.#incomingHanded = false;
    }
    this.#slices = [];
    this.#applyingBytes = 0;
    if (index > this.#applied) this.#applied = index as RaftIndex;
    if (index > this.#applying) this.#applying = index as RaftIndex;
  }

  /** The last index to drop so that at least `bytes` leave memory, but never more than `limit`. */
  indexAtBytes(bytes: number, limit: number): number {
    let index = this.first as number;
    for (let dropped = entryBytes(this.#window.at(index)); dropped < bytes && index < limit; ) {
      dropped += entryBytes(this.#window.at(++index));
    }
    return index;
  }

  /** Forgets the entries up to `index`. What is not applied, or not covered by the mark, is never forgotten. */
  compact(index: number): void {
    if (index < this.first) return;
    const limit = Math.min(this.#applied, this.#stable, this.mark?.index ?? 0);
    if (index > limit) fail(`raft: compaction to ${index} goes beyond what may be forgotten (${limit})`);
    this.#termBeforeFirst = this.term(index)!;
    this.#window.dropTo(index);
  }

  // --- to the state machine --------------------------------------------------------------------------------------

  get hasUnapplied(): boolean {
    if (this.#incoming !== undefined || this.#applyingBytes >= this.#maxApplyingBytes) return false;
    return this.#applying < Math.min(this.#committed, this.#stable);
  }

  /**
   * Committed entries to apply. They are on this member's disk, so that what is applied can always be replayed, and
   * together with those still being applied they stay within the byte limit (but for one entry).
   */
  takeCommitted(): Entry[] {
    const to = Math.min(this.#committed, this.#stable) + 1;
    const { entries, bytes } = this.#window.sliceBytes(
      this.#applying + 1,
      to,
      this.#maxApplyingBytes - this.#applyingBytes,
    );
    this.#applying = (this.#applying + entries.length) as RaftIndex;
    this.#slices.push({ last: this.#applying, bytes });
    this.#applyingBytes += bytes;
    return entries;
  }

  appliedTo(index: number): void {
    if (index < this.#applied || index > this.#applying) {
      fail(`raft: applied ${index} is out of range [${this.#applied}, ${this.#applying}]`);
    }
    this.#applied = index as RaftIndex;
    while (this.#slices.length > 0 && this.#slices[0]!.last <= index) {
      this.#applyingBytes -= this.#slices.shift()!.bytes;
    }
  }

  /** Committed entries after `after`, which must not be before `first - 1`. */
  *committedAfter(after: number): Generator<Entry> {
    for (let index = after + 1; index <= this.#committed; index++) yield this.#window.at(index);
  }
}

/**
 * A configuration change is proposed only when the one before is applied. So of two in a log the first is committed,
 * whatever commit index got to the disk: a write may have been torn between its entries and its hard state. This keeps
 * every member within one change of any other (dissertation 4.1).
 */
function impliedCommit(entries: readonly Entry[]): number {
  let before = 0;
  let newest = 0;
  for (const { type, index } of entries) {
    if (type === EntryType.normal) continue;
    before = newest;
    newest = index;
  }
  return before;
}

/** The entry just before the log in memory, and what comes after it. */
function logOrigin(start: LogStart): { before: number; term: Term; entries: readonly Entry[] } {
  const { entries, snapshot } = start;
  const first = entries[0];
  const before = first === undefined ? (snapshot?.index ?? 0) : first.index - 1;
  if (before === 0) return { before, term: 0 as Term, entries };
  if (snapshot?.index === before) return { before, term: snapshot.term, entries };
  const term = start.older?.term(before as RaftIndex);
  if (term !== undefined) return { before, term, entries };
  // The term of the first entry is known, so that the log can begin right after it.
  if (first === undefined || first.index > start.applied) {
    fail(`raft: the term of entry ${before}, before the log, is not known`);
  }
  return { before: first.index, term: first.term, entries: entries.slice(1) };
}

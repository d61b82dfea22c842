/** Makes the contents of a log out of its records, in the order in which they were written. */
import type { RaftIndex, Term } from "../lib/ids.ts";
import type { Entry, EntryType, HardState, SnapshotMark } from "../lib/raft-entry.ts";
import { emptyLogState, type LogState, markReplacesLog } from "./log-state.ts";
import { RecordError, type RecordSink, readRecords } from "./records.ts";
import { TermRuns } from "./term-runs.ts";
import { WalCorruptError } from "./wal.ts";

export class Replay implements RecordSink {
  readonly entries: Entry[] = [];
  readonly terms = new TermRuns();
  metadataFound: Uint8Array | undefined;
  /** Of all entry records, also those that were replaced or not wanted. */
  entryRecords = 0;
  /** Changed in place: there may be a hundred thousand entries. */
  readonly #state: { -readonly [K in keyof LogState]: LogState[K] };
  #pinned = false;
  /** `entries` hold what follows this index. */
  #base: number;
  #path = "";
  #position = 0;

  readonly #keepEntries: boolean;

  /** `begin` is where the first segment begins; entries up to `from` are not kept, and without `keepEntries` none. */
  constructor(begin: RaftIndex, from: RaftIndex, keepEntries: boolean) {
    this.#keepEntries = keepEntries;
    this.#state = { ...emptyLogState(begin) };
    this.#base = Math.max(begin, from);
  }

  get state(): LogState {
    return { ...this.#state };
  }

  /** Everything after this index and up to the end of the log is in `entries`. */
  get base(): number {
    return this.#base;
  }

  /** Takes the records of a frame whose payload stands at `position` of the file. Gives true if it keeps views into
   * the payload. */
  payload(path: string, position: number, payload: Uint8Array): boolean {
    this.#path = path;
    this.#position = position;
    this.#pinned = false;
    try {
      readRecords(payload, this);
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      throw new WalCorruptError(path, position + error.at, error.message);
    }
    return this.#pinned;
  }

  metadata(metadata: Uint8Array): void {
    this.metadataFound = metadata;
  }

  /** The first frame of a segment repeats what came before: only the first one that is read says something new. */
  position(index: RaftIndex, term: Term): void {
    const { lastIndex, lastTerm } = this.#state;
    if (this.#state.lastTerm === 0 && index === lastIndex) {
      this.terms.set(index, term);
      this.#state.lastTerm = term;
    } else if (index !== lastIndex || term !== lastTerm) {
      this.#corrupt(`a segment that goes on after entry ${index}, where entry ${lastIndex} is the last,`);
    }
  }

  hardState(hardState: HardState): void {
    this.#state.hardState = hardState;
  }

  snapshot(mark: SnapshotMark): void {
    const replaces = markReplacesLog(mark, this.#state.lastIndex, this.terms);
    this.#state.snapshot = mark;
    if (!replaces) return;
    this.entries.length = 0;
    this.#base = Math.max(this.#base, mark.index);
    this.terms.set(mark.index, mark.term);
    this.#state.lastIndex = mark.index;
    this.#state.lastTerm = mark.term;
  }

  entry(type: EntryType, term: Term, index: RaftIndex, payload: Uint8Array, from: number, to: number): void {
    const { lastIndex, lastTerm } = this.#state;
    if (index === lastIndex + 1 && term >= lastTerm) {
      if (term !== lastTerm) this.terms.set(index, term);
    } else {
      this.#replace(index, term);
    }
    this.entryRecords++;
    this.#state.lastIndex = index;
    this.#state.lastTerm = term;
    if (index <= this.#base || !this.#keepEntries) return;
    this.entries.push({ type, term, index, data: payload.subarray(from, to) });
    this.#pinned = true;
  }

  /** An entry that takes the place of another one, and with it of all that followed (or that fits nowhere). */
  #replace(index: RaftIndex, term: Term): void {
    const { lastIndex } = this.#state;
    if (index < 1 || index > lastIndex + 1) {
      this.#corrupt(`entry ${index}, which does not follow entry ${lastIndex},`);
    }
    if (term < (this.terms.at(index - 1) ?? 0)) {
      this.#corrupt(`entry ${index} of term ${term} after one of a later term`);
    }
    this.terms.set(index, term);
    this.entries.length = Math.max(0, Math.min(this.entries.length, index - this.#base - 1));
  }

  #corrupt(what: string): never {
    throw new WalCorruptError(this.#path, this.#position, what);
  }
}

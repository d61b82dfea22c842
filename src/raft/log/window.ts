/**
 * The entries held in memory: a run of indexes without holes, cheap to extend at its end and to drop at its front.
 */
import { assert } from "../../lib/assert.ts";
import type { RaftIndex } from "../../lib/ids.ts";
import type { Entry } from "../../lib/raft-entry.ts";

/** What an entry is taken to cost in memory and on the wire besides its data. */
const entryOverheadBytes = 32;
/** Dropped slots are given back when there are this many and they are most of the array. */
const compactSlots = 1024;

/** The bytes that limits and accounts count for one entry. */
export function entryBytes(entry: Entry): number {
  return entry.data.length + entryOverheadBytes;
}

export class EntryWindow {
  #slots: (Entry | undefined)[] = [];
  #head = 0;
  /** The index of the first entry held, or the one the next entry will get if none is. */
  #first: number;
  #bytes = 0;

  constructor(first: RaftIndex) {
    this.#first = first;
  }

  get first(): RaftIndex {
    return this.#first as RaftIndex;
  }

  /** `first - 1` when empty. */
  get last(): RaftIndex {
    return (this.#first + this.#slots.length - this.#head - 1) as RaftIndex;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The entry at `index`, which must be held. */
  at(index: number): Entry {
    return this.#slots[this.#head + index - this.#first]!;
  }

  /** Appends the entry after `last`. */
  push(entry: Entry): void {
    this.#slots.push(entry);
    this.#bytes += entryBytes(entry);
  }

  /** Entries from `from` up to and without `to`, all of which must be held. */
  slice(from: number, to: number): Entry[] {
    assert(from >= this.#first && to <= this.last + 1, "raft: slice outside of the entries in memory");
    return this.#slots.slice(this.#head + from - this.#first, this.#head + to - this.#first) as Entry[];
  }

  /** Like `slice`, but ends before the entry that would make it larger than `maxBytes`; at least one is given. */
  sliceBytes(from: number, to: number, maxBytes: number): { entries: Entry[]; bytes: number } {
    let end = from;
    let bytes = 0;
    for (; end < to; end++) {
      const size = entryBytes(this.at(end));
      if (end > from && bytes + size > maxBytes) break;
      bytes += size;
    }
    return { entries: this.slice(from, end), bytes };
  }

  /** Removes the entries from `index` to the end. */
  truncateFrom(index: number): void {
    for (let at = this.last; at >= index; at--) this.#bytes -= entryBytes(this.at(at));
    this.#slots.length = Math.max(this.#head, this.#head + index - this.#first);
  }

  /** Removes the entries up to and with `index`, which must be held. */
  dropTo(index: number): void {
    const count = index - this.#first + 1;
    for (let i = 0; i < count; i++) {
      this.#bytes -= entryBytes(this.#slots[this.#head]!);
      this.#slots[this.#head++] = undefined;
    }
    this.#first = index + 1;
    if (this.#head > compactSlots && this.#head * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Empties the window; the next entry will be `first`. */
  restart(first: RaftIndex): void {
    this.#slots = [];
    this.#head = 0;
    this.#first = first;
    this.#bytes = 0;
  }
}

/** A binary heap of things with a time, earliest first, from which any entry can be taken out. */
import { assert } from "../lib/assert.ts";

export interface HeapEntry<T> {
  readonly item: T;
  /** Milliseconds; read only outside of the heap. */
  keyMs: number;
  /** The entry's place in the heap, -1 outside of it. Only the heap changes it. */
  index: number;
}

export class DeadlineHeap<T> {
  readonly #entries: HeapEntry<T>[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** The earliest entry. */
  get head(): HeapEntry<T> | undefined {
    return this.#entries[0];
  }

  add(keyMs: number, item: T): HeapEntry<T> {
    const entry = { item, keyMs, index: this.#entries.length };
    this.#entries.push(entry);
    this.#up(entry);
    return entry;
  }

  /** Gives an entry of this heap another time. */
  rekey(entry: HeapEntry<T>, keyMs: number): void {
    assert(this.#entries[entry.index] === entry, "lease: an entry of another heap");
    entry.keyMs = keyMs;
    this.#up(entry);
    this.#down(entry);
  }

  remove(entry: HeapEntry<T>): void {
    assert(this.#entries[entry.index] === entry, "lease: an entry of another heap");
    const last = this.#entries.pop()!;
    if (last !== entry) {
      last.index = entry.index;
      this.#entries[last.index] = last;
      this.#up(last);
      this.#down(last);
    }
    entry.index = -1;
  }

  #up(entry: HeapEntry<T>): void {
    const entries = this.#entries;
    let index = entry.index;
    while (index > 0) {
      const parent = entries[(index - 1) >> 1]!;
      if (parent.keyMs <= entry.keyMs) break;
      entries[index] = parent;
      const next = parent.index;
      parent.index = index;
      index = next;
    }
    entries[index] = entry;
    entry.index = index;
  }

  #down(entry: HeapEntry<T>): void {
    const entries = this.#entries;
    let index = entry.index;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= entries.length) break;
      const right = left + 1;
      const smaller = right < entries.length && entries[right]!.keyMs < entries[left]!.keyMs ? right : left;
      const child = entries[smaller]!;
      if (child.keyMs >= entry.keyMs) break;
      entries[index] = child;
      child.index = index;
      index = smaller;
    }
    entries[index] = entry;
    entry.index = index;
  }
}

/**
 * Counts the keys that live at the end of a history. Keeps 64 bits of a keyed hash for each key and not the key: 16 to 32
 * bytes a key, however long it is. Two of ten million keys have the same hash with a chance of one in 300,000, and nobody
 * can choose such keys without knowing the seed.
 */
import { halfSipHash } from "../lib/half-siphash.ts";

/** Half of the slots are in use at most. */
const startSlots = 1024;

export class LiveKeys {
  readonly #seed: readonly [number, number];
  /** Two words a slot; both zero for an empty one. The lowest bit of the second says whether the key lives. */
  #slots = new Uint32Array(startSlots * 2);
  #used = 0;
  readonly #hash = new Uint32Array(2);
  count = 0;

  constructor(seed: readonly [number, number]) {
    this.#seed = seed;
  }

  /** A put of a key, or its deletion. */
  set(key: Uint8Array, lives: boolean): void {
    halfSipHash(key, this.#seed, this.#hash);
    const high = this.#hash[0]! || 1;
    const low = this.#hash[1]! & ~1;
    const slot = this.#find(this.#slots, high, low);
    const isNew = this.#slots[slot] === 0;
    const before = !isNew && (this.#slots[slot + 1]! & 1) === 1;
    this.#slots[slot] = high;
    this.#slots[slot + 1] = low | (lives ? 1 : 0);
    this.count += Number(lives) - Number(before);
    if (isNew && ++this.#used * 4 > this.#slots.length) this.#grow();
  }

  /** Where the key is, or belongs. */
  #find(slots: Uint32Array, high: number, low: number): number {
    const mask = slots.length / 2 - 1;
    let at = (high ^ low) & mask;
    while (slots[at * 2] !== 0 && (slots[at * 2] !== high || (slots[at * 2 + 1]! & ~1) >>> 0 !== low >>> 0)) {
      at = (at + 1) & mask;
    }
    return at * 2;
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      if (old[at] === 0) continue;
      const slot = this.#find(slots, old[at]!, old[at + 1]! & ~1);
      slots[slot] = old[at]!;
      slots[slot + 1] = old[at + 1]!;
    }
    this.#slots = slots;
  }
}

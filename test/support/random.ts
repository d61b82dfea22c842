/** Random numbers from a seed, so that a failed run can be repeated. */

export class Random {
  readonly seed: number;
  #a: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#a = this.seed;
  }

  /** A 32-bit number (mulberry32). */
  next(): number {
    this.#a = (this.#a + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#a ^ (this.#a >>> 15), 1 | this.#a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** From 0 up to, but without, `bound`. */
  below(bound: number): number {
    return Math.floor((this.next() / 2 ** 32) * bound);
  }

  /** From `low` to `high`, both possible. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.next() / 2 ** 32 < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.next();
    return bytes;
  }

  /** A generator of its own for one part of a run, so that the parts do not disturb each other. */
  fork(): Random {
    return new Random(this.next());
  }
}

/** The seed from the command line, or a fresh one. */
export function seedFrom(option: string | undefined): number {
  if (option === undefined) return (Date.now() ^ (process.pid << 16)) >>> 0;
  const seed = Number(option);
  if (!Number.isInteger(seed)) throw new Error(`--seed wants a whole number, not ${option}`);
  return seed >>> 0;
}

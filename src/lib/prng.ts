/**
 * A small seeded generator of random numbers (PCG32: O'Neill, 2014), so that whatever chance decides can be replayed
 * from one number. Not for secrets.
 */
export class Prng {
  #state: bigint;
  readonly #increment: bigint;

  /** Equal seeds give equal sequences; `stream` gives independent sequences from one seed. */
  constructor(seed: number | bigint, stream = 0) {
    this.#increment = ((BigInt(stream) << 1n) | 1n) & mask64;
    this.#state = 0n;
    this.#next32();
    this.#state = (this.#state + BigInt(seed)) & mask64;
    this.#next32();
  }

  /** An integer in [0, bound). `bound` must be in [1, 2^32]. */
  below(bound: number): number {
    return Math.floor((this.#next32() / 4294967296) * bound);
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.#next32() < p * 4294967296;
  }

  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** A number in [0, 1), 32 random bits. */
  float(): number {
    return this.#next32() / 4294967296;
  }

  #next32(): number {
    const old = this.#state;
    this.#state = (old * 6364136223846793005n + this.#increment) & mask64;
    const xorShifted = Number((((old >> 18n) ^ old) >> 27n) & 0xffffffffn);
    const rotation = Number(old >> 59n);
    return ((xorShifted >>> rotation) | (xorShifted << (-rotation & 31))) >>> 0;
  }
}

const mask64 = 0xffffffffffffffffn;

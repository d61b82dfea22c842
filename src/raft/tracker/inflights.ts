/**
 * The append messages sent to one follower and not yet acknowledged: a window limited by their number and their
 * bytes, so that a slow follower is not buried (dissertation 10.2.1 pipelines; this is the bound on the pipeline).
 */
import { assert } from "../../lib/assert.ts";

export interface InflightLimits {
  /** The most messages on their way to one follower. */
  readonly maxMessages: number;
  /** A soft limit: the message that crosses it is still sent. Infinity for none. */
  readonly maxBytes: number;
}

export class Inflights {
  readonly #limits: InflightLimits;
  /** Rings of the same length: the last index in each message, and its bytes. Grown on demand. */
  #indexes: number[] = [];
  #sizes: number[] = [];
  #start = 0;
  #count = 0;
  #bytes = 0;

  constructor(limits: InflightLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return this.#count >= this.#limits.maxMessages || this.#bytes >= this.#limits.maxBytes;
  }

  /** Notes a message whose last entry has `index`. Indexes must rise, and the window must not be full. */
  add(index: number, bytes: number): void {
    assert(!this.full, "raft: message added to a full in-flight window");
    if (this.#count === this.#indexes.length) this.#grow();
    const at = (this.#start + this.#count) % this.#indexes.length;
    this.#indexes[at] = index;
    this.#sizes[at] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** The follower has everything up to `index`. */
  freeTo(index: number): void {
    while (this.#count > 0 && this.#indexes[this.#start]! <= index) {
      this.#bytes -= this.#sizes[this.#start]!;
      this.#start = (this.#start + 1) % this.#indexes.length;
      this.#count--;
    }
  }

  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #grow(): void {
    const { length } = this.#indexes;
    const size = Math.min(Math.max(4, length * 2), this.#limits.maxMessages);
    const indexes = new Array<number>(size).fill(0);
    const sizes = new Array<number>(size).fill(0);
    for (let i = 0; i < this.#count; i++) {
      indexes[i] = this.#indexes[(this.#start + i) % length]!;
      sizes[i] = this.#sizes[(this.#start + i) % length]!;
    }
    this.#indexes = indexes;
    this.#sizes = sizes;
    this.#start = 0;
  }
}

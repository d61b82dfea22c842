/**
 * Bytes that have come and are not read yet. Never more than what really came: a length that a peer announces costs
 * nothing until its bytes are there.
 */

/** Pieces smaller than this are copied together, so that a peer that dribbles does not fill memory with small objects. */
const smallBytes = 4 * 1024;
const blockBytes = 64 * 1024;
const two32 = 0x1_0000_0000;

export class ByteQueue {
  readonly #chunks: Uint8Array[] = [];
  /** Read so far of the first chunk. */
  #at = 0;
  /** The block that small pieces are copied into, and how full it is; its filled part is the last chunk. */
  #block: Uint8Array | undefined;
  #blockUsed = 0;
  #length = 0;

  /** Bytes that can be taken. */
  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const isFirst = this.#length === 0;
    this.#length += bytes.length;
    if (isFirst || bytes.length >= smallBytes) {
      this.#chunks.push(bytes);
      this.#block = undefined;
    } else this.#copySmall(bytes);
  }

  #copySmall(bytes: Uint8Array): void {
    if (this.#block === undefined || this.#blockUsed + bytes.length > this.#block.length) {
      this.#block = new Uint8Array(blockBytes);
      this.#block.set(bytes);
      this.#blockUsed = bytes.length;
      this.#chunks.push(this.#block.subarray(0, bytes.length));
      return;
    }
    const last = this.#chunks.length - 1;
    const start = this.#blockUsed - this.#chunks[last]!.length;
    this.#block.set(bytes, this.#blockUsed);
    this.#blockUsed += bytes.length;
    this.#chunks[last] = this.#block.subarray(start, this.#blockUsed);
  }

  /** The next byte; there must be one. */
  takeByte(): number {
    const byte = this.#chunks[0]![this.#at]!;
    this.#skip(1);
    return byte;
  }

  /** A big-endian unsigned number of 8 bytes, which must be there. Infinity if it is no safe integer. */
  takeUint64(): number {
    let high = 0;
    let low = 0;
    const first = this.#chunks[0]!;
    if (first.length - this.#at >= 8) {
      const at = this.#at;
      for (let i = 0; i < 4; i++) high = high * 256 + first[at + i]!;
      for (let i = 4; i < 8; i++) low = low * 256 + first[at + i]!;
      this.#skip(8);
    } else {
      for (let i = 0; i < 4; i++) high = high * 256 + this.takeByte();
      for (let i = 0; i < 4; i++) low = low * 256 + this.takeByte();
    }
    const value = high * two32 + low;
    return value <= Number.MAX_SAFE_INTEGER ? value : Number.POSITIVE_INFINITY;
  }

  /** The next `count` bytes, which must be there: a view if they came in one piece, else a copy. */
  take(count: number): Uint8Array {
    const first = this.#chunks[0];
    if (first === undefined || count === 0) return new Uint8Array(0);
    if (first.length - this.#at >= count) {
      const view = first.subarray(this.#at, this.#at + count);
      this.#skip(count);
      return view;
    }
    const copy = new Uint8Array(count);
    for (let filled = 0; filled < count; ) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(this.#at, Math.min(chunk.length, this.#at + count - filled));
      copy.set(part, filled);
      filled += part.length;
      this.#skip(part.length);
    }
    return copy;
  }

  /** Passes over bytes of the first chunk. */
  #skip(count: number): void {
    this.#at += count;
    this.#length -= count;
    if (this.#at < this.#chunks[0]!.length) return;
    this.#chunks.shift();
    this.#at = 0;
    if (this.#chunks.length === 0) this.#block = undefined;
  }
}

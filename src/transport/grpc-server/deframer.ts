/** Octets before each message: a flag and the length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export const messagePrefixBytes = 5;
/** The least that is allocated for a message in pieces. */
const leastCapacity = 4096;

/**
 * Gathers the pieces of messages that lie across DATA frames, or that nobody takes yet. Bytes handed out are views
 * and are never overwritten. No more is allocated than twice what has arrived, whatever a prefix announces.
 */
export class Deframer {
  private bytes: Buffer = Buffer.alloc(0);
  private start = 0;
  private end = 0;

  /** Bytes that are kept here. */
  get heldBytes(): number {
    return this.end - this.start;
  }

  get allocatedBytes(): number {
    return this.bytes.length;
  }

  append(source: Uint8Array, from: number, to: number): void {
    const count = to - from;
    if (this.bytes.length - this.end < count) this.grow(count);
    this.bytes.set(source.subarray(from, to), this.end);
    this.end += count;
  }

  private grow(count: number): void {
    const held = this.heldBytes;
    const needed = held + count;
    let capacity = Math.max(needed, held * 2, leastCapacity);
    const announced = this.hasPrefix ? this.messageLength + messagePrefixBytes : 0;
    if (announced >= needed) capacity = Math.min(capacity, announced);
    const larger = Buffer.allocUnsafeSlow(capacity);
    larger.set(this.bytes.subarray(this.start, this.end));
    this.bytes = larger;
    this.start = 0;
    this.end = held;
  }

  get hasPrefix(): boolean {
    return this.end - this.start >= messagePrefixBytes;
  }

  /** Of the first message; needs `hasPrefix`. */
  get messageFlag(): number {
    return this.bytes[this.start]!;
  }

  get messageLength(): number {
    return this.bytes.readUInt32BE(this.start + 1);
  }

  get hasMessage(): boolean {
    return this.hasPrefix && this.heldBytes - messagePrefixBytes >= this.messageLength;
  }

  /** Takes the first message, without its prefix; needs `hasMessage`. */
  take(): Uint8Array {
    const from = this.start + messagePrefixBytes;
    const to = from + this.messageLength;
    this.start = to;
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + from, to - from);
  }

  /** Forgets everything. Returns how many bytes that was. */
  drop(): number {
    const dropped = this.heldBytes;
    this.bytes = Buffer.alloc(0);
    this.start = 0;
    this.end = 0;
    return dropped;
  }
}

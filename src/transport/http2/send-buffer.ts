/** Encodes a header block at the moment it is sent: what it may refer to depends on the blocks sent before. */
export type BlockMaker = () => Uint8Array;

/** Pieces that were sent are dropped from the front of the list in batches of this many. */
const compactAfter = 64;

const nothing = new Uint8Array(0);

/** What one stream has to send and may not send yet. Most streams never have one. */
export class SendBuffer {
  /** In the connection's line of streams that have something to send. */
  isScheduled = false;
  /** Once the pieces are gone, END_STREAM goes out: on the trailers, or on the last DATA frame without any. */
  isFinishing = false;
  trailers: BlockMaker | undefined = undefined;
  pendingBytes = 0;
  private pieces: Uint8Array[] = [];
  private first = 0;
  /** How much of the first piece was sent. */
  private offset = 0;

  push(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.pendingBytes += piece.length;
  }

  /** Moves the next `count` bytes into `target`. */
  take(target: Uint8Array, at: number, count: number): void {
    this.pendingBytes -= count;
    while (count > 0) {
      const piece = this.pieces[this.first]!;
      const length = Math.min(count, piece.length - this.offset);
      target.set(piece.subarray(this.offset, this.offset + length), at);
      at += length;
      count -= length;
      this.offset += length;
      if (this.offset < piece.length) break;
      this.offset = 0;
      // What was sent is not kept until the list is cut.
      this.pieces[this.first++] = nothing;
    }
    if (this.pendingBytes === 0 || this.first >= compactAfter) {
      this.pieces.splice(0, this.first);
      this.first = 0;
    }
  }

  /** Forgets what was not sent. Returns how many bytes that was. */
  drop(): number {
    const dropped = this.pendingBytes;
    this.pieces = [];
    this.first = 0;
    this.offset = 0;
    this.pendingBytes = 0;
    return dropped;
  }
}

import { ConnectionError, ErrorCode, frameHeaderBytes } from "./protocol.ts";

/** Receives whole frames. The payload is `bytes[start, end)`; views of it may be kept, it is never overwritten. */
export interface FrameSink {
  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void;
  /** Asked between frames: true makes the reader stop and keep the rest. */
  shouldYield(): boolean;
}

/**
 * Cuts a byte stream into frames. Only a frame that lies across chunks is copied, into a buffer of its own size,
 * which is at most `maxFrameBytes` + 9.
 */
export class FrameReader {
  private readonly sink: FrameSink;
  private readonly maxFrameBytes: number;
  /** A frame that began in an earlier chunk: its header, and once that is whole, everything. */
  private readonly header = Buffer.allocUnsafeSlow(frameHeaderBytes);
  private headerLength = 0;
  private partial: Buffer | undefined = undefined;
  private partialLength = 0;

  constructor(sink: FrameSink, maxFrameBytes: number) {
    this.sink = sink;
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Handles what is in `chunk` from `at` on. Returns how far it got: less than the length if the sink yielded. */
  read(chunk: Buffer, at: number): number {
    const end = chunk.length;
    if (this.headerLength > 0) {
      at = this.finishPartial(chunk, at);
      if (this.headerLength > 0) return at;
    }
    while (end - at >= frameHeaderBytes) {
      const length = (chunk[at]! << 16) | (chunk[at + 1]! << 8) | chunk[at + 2]!;
      const next = at + frameHeaderBytes + length;
      if (length > this.maxFrameBytes) throw tooLarge(length);
      if (next > end) break;
      if (this.sink.shouldYield()) return at;
      this.dispatch(chunk, at, next);
      at = next;
    }
    return at < end ? this.finishPartial(chunk, at) : at;
  }

  private dispatch(bytes: Buffer, at: number, end: number): void {
    const streamId =
      ((bytes[at + 5]! & 0x7f) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!;
    this.sink.onFrame(bytes[at + 3]!, bytes[at + 4]!, streamId, bytes, at + frameHeaderBytes, end);
  }

  private finishPartial(chunk: Buffer, at: number): number {
    if (this.partial === undefined) {
      while (at < chunk.length && this.headerLength < frameHeaderBytes) {
        this.header[this.headerLength++] = chunk[at++]!;
      }
      if (this.headerLength < frameHeaderBytes) return at;
      const length = (this.header[0]! << 16) | (this.header[1]! << 8) | this.header[2]!;
      if (length > this.maxFrameBytes) throw tooLarge(length);
      this.partial = Buffer.allocUnsafeSlow(frameHeaderBytes + length);
      this.partial.set(this.header);
      this.partialLength = frameHeaderBytes;
    }
    const take = Math.min(chunk.length - at, this.partial.length - this.partialLength);
    if (take > 0) this.partial.set(chunk.subarray(at, at + take), this.partialLength);
    this.partialLength += take;
    if (this.partialLength === this.partial.length) {
      const whole = this.partial;
      this.partial = undefined;
      this.headerLength = 0;
      this.dispatch(whole, 0, whole.length);
    }
    return at + take;
  }
}

function tooLarge(length: number): ConnectionError {
  return new ConnectionError(ErrorCode.frameSizeError, `a frame of ${length} bytes is larger than agreed`);
}

import type { Output } from "./output.ts";
import {
  type ErrorCode,
  flagAck,
  flagEndHeaders,
  flagEndStream,
  frameContinuation,
  frameData,
  frameGoaway,
  frameHeaderBytes,
  frameHeaders,
  framePing,
  frameRstStream,
  frameSettings,
  frameWindowUpdate,
} from "./protocol.ts";

/** Writes a frame's header at `at` and returns where its payload goes. */
export function putFrameHeader(
  bytes: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  bytes[at] = length >> 16;
  bytes[at + 1] = length >> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  return putUint32(bytes, at + 5, streamId);
}

export function putUint32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
  return at + 4;
}

/** HPACK's dynamic table size update to 0. */
const emptyTable = Buffer.of(0x20);

/** Encodes the frames of one connection into its output. */
export class FrameWriter {
  private readonly output: Output;
  /** The peer's SETTINGS_MAX_FRAME_SIZE is at least this; larger frames would gain nothing. */
  private readonly maxFrameBytes: number;
  /** The peer lowered its table's size: the next block has to say that we follow (RFC 7541, 4.2). */
  mustEmptyTable = false;

  constructor(output: Output, maxFrameBytes: number) {
    this.output = output;
    this.maxFrameBytes = maxFrameBytes;
  }

  /** HEADERS, and CONTINUATIONs if the block is larger than a frame. */
  headers(streamId: number, block: Uint8Array, isEnd: boolean): void {
    if (this.mustEmptyTable) {
      this.mustEmptyTable = false;
      block = Buffer.concat([emptyTable, block]);
    }
    let start = 0;
    let type = frameHeaders;
    let flags = isEnd ? flagEndStream : 0;
    do {
      const end = Math.min(block.length, start + this.maxFrameBytes);
      if (end === block.length) flags |= flagEndHeaders;
      const { output } = this;
      const at = output.reserve(frameHeaderBytes + end - start);
      const payload = putFrameHeader(output.bytes, at, end - start, type, flags, streamId);
      output.bytes.set(start === 0 && end === block.length ? block : block.subarray(start, end), payload);
      output.length = payload + end - start;
      start = end;
      type = frameContinuation;
      flags = 0;
    } while (start < block.length);
  }

  /** Space for a DATA frame of `length` bytes: returns where the caller puts them in `output.bytes`. */
  data(streamId: number, length: number, isEnd: boolean): number {
    const { output } = this;
    const at = output.reserve(frameHeaderBytes + length);
    const flags = isEnd ? flagEndStream : 0;
    const payload = putFrameHeader(output.bytes, at, length, frameData, flags, streamId);
    output.length = payload + length;
    return payload;
  }

  rstStream(streamId: number, code: ErrorCode): void {
    this.word(frameRstStream, streamId, code);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.word(frameWindowUpdate, streamId, increment);
  }

  private word(type: number, streamId: number, value: number): void {
    const { output } = this;
    const at = output.reserve(frameHeaderBytes + 4);
    const payload = putFrameHeader(output.bytes, at, 4, type, 0, streamId);
    output.length = putUint32(output.bytes, payload, value);
  }

  /** Eight octets `bytes[start, start + 8)`. */
  ping(bytes: Uint8Array, start: number, isAck: boolean): void {
    const { output } = this;
    const at = output.reserve(frameHeaderBytes + 8);
    const payload = putFrameHeader(output.bytes, at, 8, framePing, isAck ? flagAck : 0, 0);
    for (let index = 0; index < 8; index++) output.bytes[payload + index] = bytes[start + index]!;
    output.length = payload + 8;
  }

  settings(values: readonly (readonly [id: number, value: number])[]): void {
    const { output } = this;
    const at = output.reserve(frameHeaderBytes + 6 * values.length);
    let next = putFrameHeader(output.bytes, at, 6 * values.length, frameSettings, 0, 0);
    for (const [id, value] of values) {
      output.bytes[next] = id >> 8;
      output.bytes[next + 1] = id;
      next = putUint32(output.bytes, next + 2, value);
    }
    output.length = next;
  }

  settingsAck(): void {
    const at = this.output.reserve(frameHeaderBytes);
    this.output.length = putFrameHeader(this.output.bytes, at, 0, frameSettings, flagAck, 0);
  }

  goaway(lastStreamId: number, code: ErrorCode, debug: string): void {
    const text = Buffer.from(debug, "latin1").subarray(0, 256);
    const { output } = this;
    const at = output.reserve(frameHeaderBytes + 8 + text.length);
    let next = putFrameHeader(output.bytes, at, 8 + text.length, frameGoaway, 0, 0);
    next = putUint32(output.bytes, next, lastStreamId);
    next = putUint32(output.bytes, next, code);
    output.bytes.set(text, next);
    output.length = next + text.length;
  }
}

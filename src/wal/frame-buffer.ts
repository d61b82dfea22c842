/**
 * One frame while it is gathered: records are encoded straight into the buffer that is later written, and summed as
 * they come, so that a flush has nothing left to do but the header.
 */
import { assert } from "../lib/assert.ts";
import { crc32cOfView } from "../lib/crc32c.ts";
import type { Entry } from "../lib/raft-entry.ts";
import {
  frameHeaderBytes,
  frameMaxBytes,
  paddingBytesMin,
  roundUpToUnit,
  writeFrameHeader,
} from "./format.ts";
import { applyMask, chooseMask } from "./mask.ts";
import { entryOverheadBytes, RecordKind, writeEntry } from "./records.ts";

const initialBytes = 64 * 1024;
/** After so many frames in a row that took less than a quarter of the buffer, half of it is given back. */
const smallFramesMax = 64;

export interface FramePlace {
  /** Where the frame goes in its file. */
  readonly position: number;
  readonly salt: number;
  readonly chain: number;
  /** Whether all frames before it are known to be durable. */
  readonly durable: boolean;
}

export class FrameBuffer {
  #bytes = new Uint8Array(initialBytes);
  #view = new DataView(this.#bytes.buffer);
  /** The end of the records, counted from the beginning of the header. */
  #end = frameHeaderBytes;
  #summedTo = frameHeaderBytes;
  #checksum = 0;
  #smallFrames = 0;
  /** `headerChecksum` of the finished frame. */
  chain = 0;

  get empty(): boolean {
    return this.#end === frameHeaderBytes;
  }

  /** The size that the frame would have now. */
  get size(): number {
    return roundUpToUnit(this.#end + paddingBytesMin);
  }

  addEntry(entry: Entry): void {
    this.#reserve(entryOverheadBytes + entry.data.length);
    this.#end = writeEntry(this.#bytes, this.#end, entry);
  }

  addRecord(record: Uint8Array): void {
    this.#reserve(record.length);
    this.#bytes.set(record, this.#end);
    this.#end += record.length;
  }

  /** Takes what was added into the checksum. Called after each batch, so that the work is done where it arises. */
  sum(): void {
    this.#checksum = crc32cOfView(this.#view, this.#summedTo, this.#end, this.#checksum);
    this.#summedTo = this.#end;
  }

  /**
   * Pads the frame and writes its header. Gives its bytes, followed by `zeros` zero bytes, ready to be written. They
   * are this buffer's own: `clear` only when they are on disk.
   */
  finish(place: FramePlace, zeros: (frameEnd: number) => number): { frameBytes: number; bytes: Uint8Array } {
    const frameBytes = roundUpToUnit(this.#end + paddingBytesMin);
    assert(frameBytes <= frameMaxBytes, `wal: a frame of ${frameBytes} bytes`);
    const zeroBytes = zeros(place.position + frameBytes);
    this.#reserve(frameBytes + zeroBytes - this.#end);
    this.#bytes.fill(RecordKind.end, this.#end, frameBytes);
    this.#end = frameBytes;
    this.sum();
    const mask = chooseMask(this.#view, frameBytes, place.position, place.salt);
    applyMask(this.#view, frameBytes, mask);
    this.chain = writeFrameHeader(this.#view, place.salt, place.position, {
      durable: place.durable,
      payloadBytes: frameBytes - frameHeaderBytes,
      mask,
      chain: place.chain,
      payloadChecksum: this.#checksum,
    });
    this.#bytes.fill(0, frameBytes, frameBytes + zeroBytes);
    return { frameBytes, bytes: this.#bytes.subarray(0, frameBytes + zeroBytes) };
  }

  /** Makes room for the next frame. */
  clear(): void {
    this.#smallFrames = this.#end * 4 < this.#bytes.length ? this.#smallFrames + 1 : 0;
    if (this.#smallFrames >= smallFramesMax && this.#bytes.length > initialBytes) {
      this.#bytes = new Uint8Array(this.#bytes.length / 2);
      this.#view = new DataView(this.#bytes.buffer);
      this.#smallFrames = 0;
    }
    this.#end = frameHeaderBytes;
    this.#summedTo = frameHeaderBytes;
    this.#checksum = 0;
  }

  #reserve(bytes: number): void {
    const wanted = this.#end + bytes;
    if (wanted <= this.#bytes.length) return;
    let size = this.#bytes.length;
    while (size < wanted) size *= 2;
    const larger = new Uint8Array(size);
    larger.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

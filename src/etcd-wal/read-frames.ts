/** Reads the records of one file, in pieces: a file is 64 MB, and most of it may be zeros. */
import type { DiskFile } from "../lib/disk.ts";
import { EtcdWalError } from "./errors.ts";
import { decodeRecord, frameHeadBytes, readFrameLength, type WalRecord } from "./record.ts";

const pieceBytes = 1024 * 1024;
/** A write reaches the disk by sectors. */
const sectorBytes = 512;

export interface Frame {
  readonly record: WalRecord;
  /** Where in the file its frame begins. */
  readonly offset: number;
  /** Whether a sector of it is nothing but zeros, as when it was being written at the end. */
  readonly maybeTorn: boolean;
}

/**
 * The frames of a file. What is beyond the end, or cannot be read, is an EtcdWalError, unless `isLast` and it looks like a
 * write that was not finished: then the frames end there.
 */
export async function* readFrames(file: DiskFile, path: string, isLast: boolean): AsyncGenerator<Frame[]> {
  const size = await file.size();
  let buffer = new Uint8Array(0);
  let start = 0; // where in the file the buffer begins
  for (;;) {
    const { frames, used, wanted } = framesIn(buffer, { start, size, path, isLast });
    if (frames.length > 0) yield frames;
    if (wanted === 0) return;
    const rest = buffer.subarray(used);
    start += used;
    const next = new Uint8Array(Math.min(rest.length + Math.max(pieceBytes, wanted), size - start));
    next.set(rest);
    await file.read(next.subarray(rest.length), start + rest.length);
    if (next.length === rest.length) return; // the file is full to its end
    buffer = next;
  }
}

interface Place {
  readonly start: number;
  readonly size: number;
  readonly path: string;
  readonly isLast: boolean;
}

/** The whole frames of a buffer, how much of it they take, and how many more bytes the next one needs; 0 at the end. */
function framesIn(buffer: Uint8Array, place: Place): { frames: Frame[]; used: number; wanted: number } {
  const { start, size, path, isLast } = place;
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const frames: Frame[] = [];
  let at = 0;
  for (;;) {
    const offset = start + at;
    if (offset + frameHeadBytes > size) return { frames, used: at, wanted: 0 };
    if (at + frameHeadBytes > buffer.length) return { frames, used: at, wanted: frameHeadBytes };
    const length = readFrameLength(view, at);
    if (length === undefined) return { frames, used: at, wanted: 0 };
    const bytes = frameHeadBytes + length.recordBytes + length.paddingBytes;
    if (offset + bytes > size) {
      if (isLast) return { frames, used: at, wanted: 0 };
      throw new EtcdWalError(path, offset, "a record that is longer than the file");
    }
    if (at + bytes > buffer.length) return { frames, used: at, wanted: bytes };
    const body = buffer.subarray(at + frameHeadBytes, at + bytes);
    const maybeTorn = hasSectorOfZeros(body, offset + frameHeadBytes);
    try {
      frames.push({ record: decodeRecord(body.subarray(0, length.recordBytes)), offset, maybeTorn });
    } catch (error) {
      if (isLast && maybeTorn) return { frames, used: at, wanted: 0 };
      throw new EtcdWalError(path, offset, `a record that cannot be read (${(error as Error).message})`);
    }
    at += bytes;
  }
}

/** Whether the part of any sector that `bytes` take is zero throughout. */
function hasSectorOfZeros(bytes: Uint8Array, offset: number): boolean {
  let at = 0;
  while (at < bytes.length) {
    const end = Math.min(bytes.length, at + sectorBytes - ((offset + at) % sectorBytes));
    let zeros = at;
    while (zeros < end && bytes[zeros] === 0) zeros++;
    if (zeros === end) return true;
    at = end;
  }
  return false;
}

/**
 * The fixed parts of a segment file: its head and the header of a frame. DESIGN.md shows them in a picture. All
 * numbers are little endian.
 */
import { crc32cOfView } from "../lib/crc32c.ts";

export const formatVersion = 1;

/** Frames begin and end at multiples of this, so that no header ever lies across two sectors. */
export const unitBytes = 32;
/** The smallest piece that a disk writes as a whole. */
export const sectorBytes = 512;

export const segmentHeadBytes = 64;
export const frameHeaderBytes = 32;

/** A frame ends with at least so many bytes of padding, which are never zeros on disk: writes go from front to back, so
 * a frame that ends with zeros was not written to its end. */
export const paddingBytesMin = 8;

/** A frame is closed when it has reached this size, and the next begins: bounds what one flush and one step of a
 * read take. A single larger entry still makes a larger frame. */
export const frameTargetBytes = 4 * 1024 * 1024;
/** No frame is larger: a length beyond it is damage. */
export const frameMaxBytes = 1024 * 1024 * 1024;

/** "etclwal" and a line feed, as two numbers. */
const segmentMagicLow = 0x6c637465;
const segmentMagicHigh = 0x0a6c6177;
/** "WALF": a frame that was written durably before the next one began. */
const frameMagicDurable = 0x464c4157;
/** "WALf": a frame of a log that does not sync. */
const frameMagicUnsynced = 0x664c4157;

/** The first 64 bytes of a segment. */
export interface SegmentHead {
  /** Counts the segments of a log, from 0. */
  readonly sequence: number;
  /** The index of the first entry that comes after the ones in earlier segments. */
  readonly firstIndex: number;
  /** Random: tells this segment's frames from any bytes that a client may have stored. 32 bits. */
  readonly salt: number;
  /** Where the frames of the segment before this one end, and the checksum of its last frame header. Both 0 in the
   * first segment of a log. */
  readonly previousEnd: number;
  readonly previousChain: number;
}

export interface FrameHeader {
  /** False when the log did not wait for the frames before this one to be durable. */
  readonly durable: boolean;
  readonly payloadBytes: number;
  /** Each 32-bit word of the payload is stored XORed with this (see mask.ts). */
  readonly mask: number;
  /** `headerChecksum` of the frame before, or the head's checksum. */
  readonly chain: number;
  /** Of the payload as it is without the mask. */
  readonly payloadChecksum: number;
  readonly headerChecksum: number;
}

/** What `readFrameHeader` found at a place. */
export type FrameHeaderFound = FrameHeader | "zeros" | "invalid";

/** `bytes` rounded up to whole units. */
export function roundUpToUnit(bytes: number): number {
  return Math.ceil(bytes / unitBytes) * unitBytes;
}

/** Writes the head of a segment into the first 64 bytes of `view`; gives its checksum, where the chain begins. */
export function writeSegmentHead(view: DataView, head: SegmentHead): number {
  view.setUint32(0, segmentMagicLow, true);
  view.setUint32(4, segmentMagicHigh, true);
  view.setUint32(8, formatVersion, true);
  view.setUint32(12, head.salt, true);
  view.setBigUint64(16, BigInt(head.sequence), true);
  view.setBigUint64(24, BigInt(head.firstIndex), true);
  view.setBigUint64(32, BigInt(head.previousEnd), true);
  view.setUint32(40, head.previousChain, true);
  for (let at = 44; at < 60; at += 4) view.setUint32(at, 0, true);
  const checksum = crc32cOfView(view, 0, 60);
  view.setUint32(60, checksum, true);
  return checksum;
}

/** Reads a head; a text instead says what is wrong with it. */
export function readSegmentHead(view: DataView): { head: SegmentHead; checksum: number } | string {
  if (view.byteLength < segmentHeadBytes) return "the head is cut short";
  if (view.getUint32(0, true) !== segmentMagicLow || view.getUint32(4, true) !== segmentMagicHigh) {
    return "no log segment (wrong magic number)";
  }
  // The version comes before the checksum: a later format may have put it elsewhere.
  const version = view.getUint32(8, true);
  const checksum = crc32cOfView(view, 0, 60);
  const intact = view.getUint32(60, true) === checksum;
  if (version !== formatVersion && intact) return `format version ${version} is unknown to this program`;
  if (!intact) return "the head's checksum is wrong";
  const head: SegmentHead = {
    salt: view.getUint32(12, true),
    sequence: Number(view.getBigUint64(16, true)),
    firstIndex: Number(view.getBigUint64(24, true)),
    previousEnd: Number(view.getBigUint64(32, true)),
    previousChain: view.getUint32(40, true),
  };
  return { head, checksum };
}

/**
 * Writes the header of a frame into the first 32 bytes of `view`; gives its checksum, which continues the chain.
 * `position` is where in the file the frame goes.
 */
export function writeFrameHeader(
  view: DataView,
  salt: number,
  position: number,
  header: Omit<FrameHeader, "headerChecksum">,
): number {
  view.setUint32(0, header.durable ? frameMagicDurable : frameMagicUnsynced, true);
  view.setUint32(4, salt, true);
  view.setUint32(8, position / unitBytes, true);
  view.setUint32(12, header.payloadBytes, true);
  view.setUint32(16, header.mask, true);
  view.setUint32(20, header.chain, true);
  view.setUint32(24, header.payloadChecksum, true);
  const checksum = crc32cOfView(view, 0, 28);
  view.setUint32(28, checksum, true);
  return checksum;
}

/** Reads the 32 bytes at `at` as the header of a frame that stands at `position` in the file of segment `salt`. */
export function readFrameHeader(
  view: DataView,
  at: number,
  salt: number,
  position: number,
): FrameHeaderFound {
  const magic = view.getUint32(at, true);
  if (magic !== frameMagicDurable && magic !== frameMagicUnsynced) {
    return magic === 0 && isZero(view, at, at + frameHeaderBytes) ? "zeros" : "invalid";
  }
  if (view.getUint32(at + 4, true) !== salt) return "invalid";
  if (view.getUint32(at + 8, true) !== position / unitBytes) return "invalid";
  const headerChecksum = crc32cOfView(view, at, at + 28);
  if (view.getUint32(at + 28, true) !== headerChecksum) return "invalid";
  const payloadBytes = view.getUint32(at + 12, true);
  if (payloadBytes === 0 || payloadBytes > frameMaxBytes || payloadBytes % unitBytes !== 0) return "invalid";
  return {
    durable: magic === frameMagicDurable,
    payloadBytes,
    mask: view.getUint32(at + 16, true),
    chain: view.getUint32(at + 20, true),
    payloadChecksum: view.getUint32(at + 24, true),
    headerChecksum,
  };
}

/** Whether the bytes from `start` to `end` (left out) are all zero. */
export function isZero(view: DataView, start: number, end: number): boolean {
  let at = start;
  for (; at + 4 <= end; at += 4) if (view.getInt32(at, true) !== 0) return false;
  for (; at < end; at++) if (view.getUint8(at) !== 0) return false;
  return true;
}

/** Reads one segment from its beginning to its end, and checks every byte that matters on the way. */
import type { Clock } from "../lib/clock.ts";
import { crc32cOfView } from "../lib/crc32c.ts";
import type { Disk, DiskFile } from "../lib/disk.ts";
import { FileWindow } from "./file-window.ts";
import {
  type FrameHeader,
  frameHeaderBytes,
  frameTargetBytes,
  readFrameHeader,
  readSegmentHead,
  type SegmentHead,
  segmentHeadBytes,
} from "./format.ts";
import { applyMask } from "./mask.ts";
import type { SegmentName } from "./segment-name.ts";
import { type BadFrame, judgeTail, type TornTail, viewOf } from "./tail.ts";
import { explained, WalCorruptError } from "./wal.ts";

export interface SegmentStart {
  readonly name: SegmentName;
  readonly head: SegmentHead;
  /** Where the chain of frames begins. */
  readonly checksum: number;
}

/** A segment that was read. */
export interface ReadSegment {
  /** The ends of the first and of the last frame, and the checksum of the last one's header. */
  readonly headEnd: number;
  readonly end: number;
  readonly chain: number;
  readonly sizeBytes: number;
  readonly frames: number;
  readonly torn: TornTail | undefined;
}

/** Reads and checks the head of a segment. */
export async function readSegmentStart(disk: Disk, dir: string, name: SegmentName): Promise<SegmentStart> {
  const path = `${dir}/${name.name}`;
  const bytes = new Uint8Array(segmentHeadBytes);
  const file = await explained("open", path, disk.open(path, "read"));
  let count: number;
  try {
    count = await explained("read", path, file.read(bytes, 0));
  } finally {
    await file.close();
  }
  const found = readSegmentHead(viewOf(bytes.subarray(0, count)));
  if (typeof found === "string") throw new WalCorruptError(path, 0, found);
  const { head, checksum } = found;
  if (head.sequence !== name.sequence || head.firstIndex !== name.firstIndex) {
    throw new WalCorruptError(path, 0, "the name differs from the head (was the file renamed?)");
  }
  return { name, head, checksum };
}

export interface SegmentReading {
  readonly file: DiskFile;
  readonly path: string;
  readonly start: SegmentStart;
  /** The segment after this one, which says where this one ends; undefined for the newest. */
  readonly next: SegmentStart | undefined;
  readonly clock: Clock;
  /** Gets the records of each frame; `position` is where they begin in the file. Returns true if it keeps views into
   * `payload`, which is otherwise overwritten. */
  readonly onPayload: (payload: Uint8Array, position: number) => boolean;
}

export async function readSegment(reading: SegmentReading): Promise<ReadSegment> {
  const { start, next, clock, path } = reading;
  const window = await FileWindow.over(reading.file, path);
  let position = segmentHeadBytes;
  let chain = start.checksum;
  let headEnd = position;
  let frames = 0;
  let torn: TornTail | undefined;
  while (next === undefined || position < next.head.previousEnd) {
    const frame = await readFrame(window, { position, salt: start.head.salt, chain }, clock);
    if ("what" in frame) {
      if (next !== undefined || frames === 0) throw new WalCorruptError(path, position, frame.what);
      torn = await judgeTail(window, frame, clock);
      break;
    }
    if (reading.onPayload(frame.payload, position + frameHeaderBytes)) window.pin();
    position += frameHeaderBytes + frame.payload.length;
    chain = frame.header.headerChecksum;
    if (frames++ === 0) headEnd = position;
  }
  if (next !== undefined && (position !== next.head.previousEnd || chain !== next.head.previousChain)) {
    throw new WalCorruptError(path, position, `the end does not fit the next segment, ${next.name.name},`);
  }
  return { headEnd, end: position, chain, sizeBytes: window.sizeBytes, frames, torn };
}

/** The frame at a place of the file, or what is wrong there. */
async function readFrame(
  window: FileWindow,
  place: { position: number; salt: number; chain: number },
  clock: Clock,
): Promise<{ header: FrameHeader; payload: Uint8Array } | BadFrame> {
  const { position, salt, chain } = place;
  const headerBytes = await window.bytes(position, frameHeaderBytes);
  if (headerBytes.length < frameHeaderBytes) {
    return { position, salt, what: "the header of a frame is cut short", header: "cut short" };
  }
  const header = readFrameHeader(viewOf(headerBytes), 0, salt, position);
  if (header === "zeros") return { position, salt, what: "zeros instead of a frame", header };
  if (header === "invalid") return { position, salt, what: "the header of a frame is damaged", header };
  if (header.chain !== chain) {
    throw new WalCorruptError(window.path, position, "a frame that does not follow the one before it");
  }
  const frameBytes = frameHeaderBytes + header.payloadBytes;
  const frame = await window.bytes(position, frameBytes);
  if (frame.length < frameBytes) return { position, salt, what: "a frame is cut short", header };
  const view = viewOf(frame);
  applyMask(view, frameBytes, header.mask);
  if ((await checksumOf(view, clock)) !== header.payloadChecksum) {
    // Back to what is on disk: whether sectors were never written is yet to be seen.
    applyMask(view, frameBytes, header.mask);
    return { position, salt, what: "the checksum of a frame is wrong", header };
  }
  return { header, payload: frame.subarray(frameHeaderBytes) };
}

/** The checksum of a payload; a very large one in steps, so that the event loop is not held. */
async function checksumOf(view: DataView, clock: Clock): Promise<number> {
  let checksum = 0;
  let at = frameHeaderBytes;
  for (;;) {
    const end = Math.min(at + frameTargetBytes, view.byteLength);
    checksum = crc32cOfView(view, at, end, checksum);
    if (end === view.byteLength) return checksum;
    at = end;
    await new Promise<void>((resolve) => clock.nextTurn(resolve));
  }
}

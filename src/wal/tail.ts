/**
 * What follows the last valid frame of the newest segment: nothing, the trace of a write that a crash interrupted, or
 * damage. DESIGN.md gives the argument; in short:
 *
 * - Only one write is ever under way, and it is one frame. So at most the last frame can be incomplete.
 * - A frame that says it was written when all before it was durable proves that nothing before it was torn.
 * - What a write has not reached is as it was: behind the end of the file, or zeros. Disks write whole sectors, and
 *   no sector of a frame is all zeros (mask.ts). So an incomplete frame lacks its end or shows a sector of zeros.
 *   Where something else than a disk stopped the write (a file system in user space, say), it stopped at some byte,
 *   and the frame shows zeros for its end.
 */
import type { Clock } from "../lib/clock.ts";
import type { FileWindow } from "./file-window.ts";
import {
  type FrameHeaderFound,
  frameHeaderBytes,
  isZero,
  paddingBytesMin,
  readFrameHeader,
  sectorBytes,
  unitBytes,
} from "./format.ts";
import { hasZeroSector } from "./mask.ts";
import { WalCorruptError } from "./wal.ts";

const scanBytes = 1024 * 1024;

/** Where the frame that cannot be read stands, and what is wrong with it. */
export interface BadFrame {
  readonly position: number;
  readonly salt: number;
  readonly what: string;
  readonly header: FrameHeaderFound | "cut short";
}

/** A write that did not finish: everything from `position` on was never acknowledged. */
export interface TornTail {
  readonly position: number;
  readonly what: string;
  /** Where the last byte that is not zero ends. */
  readonly end: number;
}

/** Undefined: the log ends cleanly at `bad.position`. Throws a WalCorruptError for damage. */
export async function judgeTail(
  window: FileWindow,
  bad: BadFrame,
  clock: Clock,
): Promise<TornTail | undefined> {
  const { position, what, header } = bad;
  const { end, laterFrame } = await scanRest(window, bad, clock);
  if (end === position) return undefined;
  if (laterFrame !== undefined) {
    throw damage(window, bad, `${what}, though a frame at offset ${laterFrame} was written after it`);
  }
  const torn = { position, what, end };
  if (header === "cut short") return torn;
  if (header === "invalid") {
    // Behind the header of a whole frame there is at least the padding.
    if (end === position + frameHeaderBytes) return torn;
    throw damage(window, bad, what);
  }
  if (header === "zeros") {
    const sectorEnd = position + sectorBytes - (position % sectorBytes);
    const sector = await window.bytes(position, sectorEnd - position);
    if (isZero(viewOf(sector), 0, sector.length)) return torn;
    throw damage(window, bad, what);
  }
  const frameEnd = position + frameHeaderBytes + header.payloadBytes;
  if (frameEnd > window.sizeBytes) return torn;
  if (end > frameEnd) throw damage(window, bad, `${what}, and something follows`);
  const frame = await window.bytes(position, frameEnd - position);
  if (isZero(viewOf(frame), frame.length - paddingBytesMin, frame.length)) return torn;
  if (hasZeroSector(viewOf(frame), 0, frame.length, position)) return torn;
  throw damage(window, bad, what);
}

function damage(window: FileWindow, bad: BadFrame, what: string): WalCorruptError {
  return new WalCorruptError(window.path, bad.position, what);
}

/** Looks at all bytes from the bad frame on: where they end, and whether there is a later frame that says that what
 * came before it was durable. */
async function scanRest(
  window: FileWindow,
  { position, salt }: BadFrame,
  clock: Clock,
): Promise<{ end: number; laterFrame: number | undefined }> {
  let end = position;
  let laterFrame: number | undefined;
  for (let from = position; from < window.sizeBytes; from += scanBytes) {
    const bytes = await window.bytes(from, scanBytes);
    const view = viewOf(bytes);
    for (let at = 0; at < bytes.length; at += unitBytes) {
      const unitEnd = Math.min(at + unitBytes, bytes.length);
      if (isZero(view, at, unitEnd)) continue;
      end = from + unitEnd;
      if (from + at === position || unitEnd - at < frameHeaderBytes || laterFrame !== undefined) continue;
      const found = readFrameHeader(view, at, salt, from + at);
      if (typeof found === "object" && found.durable) laterFrame = from + at;
    }
    await new Promise<void>((resolve) => clock.nextTurn(resolve));
  }
  return { end, laterFrame };
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads the end of a log, one segment after the other: what `open.ts` and `verify.ts` share. */
import type { Clock } from "../lib/clock.ts";
import type { Disk } from "../lib/disk.ts";
import type { RaftIndex } from "../lib/ids.ts";
import { Replay } from "./replay.ts";
import type { SegmentName } from "./segment-name.ts";
import { type ReadSegment, readSegment, readSegmentStart, type SegmentStart } from "./segment-reader.ts";
import { explained, WalCorruptError } from "./wal.ts";

export interface LogReading {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly dir: string;
  /** What to read: not empty, without holes, to the newest. */
  readonly segments: readonly SegmentName[];
  /** Entries up to this one are not kept. */
  readonly from: RaftIndex;
  /** False when the log is only checked: then memory does not grow with it. */
  readonly keepEntries: boolean;
  /** Called after each segment that was read, for reports. */
  readonly onSegment?: (start: SegmentStart, read: ReadSegment, replay: Replay) => void;
}

export interface LogRead {
  readonly replay: Replay;
  /** The newest segment. */
  readonly last: ReadSegment;
  readonly lastStart: SegmentStart;
}

export async function readLog(reading: LogReading): Promise<LogRead> {
  const { disk, dir, segments, clock, from } = reading;
  let start = await readSegmentStart(disk, dir, segments[0]!);
  const replay = new Replay((start.head.firstIndex - 1) as RaftIndex, from, reading.keepEntries);
  for (let i = 0; ; i++) {
    const following = segments[i + 1];
    const next = following === undefined ? undefined : await readSegmentStart(disk, dir, following);
    const path = `${dir}/${start.name.name}`;
    const before = replay.metadataFound;
    const read = await readOne(disk, path, start, next, clock, replay);
    checkMetadata(path, before, replay.metadataFound);
    reading.onSegment?.(start, read, replay);
    if (next === undefined) {
      checkEnd(path, read, replay);
      return { replay, last: read, lastStart: start };
    }
    start = next;
  }
}

async function readOne(
  disk: Disk,
  path: string,
  start: SegmentStart,
  next: SegmentStart | undefined,
  clock: Clock,
  replay: Replay,
): Promise<ReadSegment> {
  const file = await explained("open", path, disk.open(path, "read"));
  try {
    return await readSegment({
      file,
      path,
      start,
      next,
      clock,
      onPayload: (payload, position) => replay.payload(path, position, payload),
    });
  } finally {
    await file.close();
  }
}

function checkMetadata(path: string, before: Uint8Array | undefined, found: Uint8Array | undefined): void {
  if (found === undefined) throw new WalCorruptError(path, 0, "a segment without metadata");
  if (before !== undefined && !sameBytes(before, found)) {
    throw new WalCorruptError(path, 0, "other metadata than in the segment before");
  }
}

/** A commit index, once written, had its entries before it in the log. */
function checkEnd(path: string, { end }: ReadSegment, { state, base }: Replay): void {
  const commit = state.hardState?.commit ?? 0;
  if (commit > state.lastIndex) {
    const what = `the log ends with entry ${state.lastIndex}, but entries up to ${commit} were committed,`;
    throw new WalCorruptError(path, end, what);
  }
  if (state.lastIndex < base) {
    const what = `the log ends with entry ${state.lastIndex}, but entries up to ${base} were applied,`;
    throw new WalCorruptError(path, end, what);
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

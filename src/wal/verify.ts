/** Checks a log without changing anything: for the `check` command, on a folder that no server uses. */
import type { Clock } from "../lib/clock.ts";
import type { Disk } from "../lib/disk.ts";
import type { RaftIndex, Term } from "../lib/ids.ts";
import { nodeDisk } from "../runtime/disk.ts";
import { systemClock } from "../runtime/system-clock.ts";
import type { LogState } from "./log-state.ts";
import { readLog } from "./read-log.ts";
import { listSegments } from "./segment-list.ts";
import { WalCorruptError } from "./wal.ts";

export interface WalReport {
  readonly metadata: Uint8Array;
  /** The first entry that the log has, or would have. */
  readonly firstIndex: RaftIndex;
  /** Where the log stands at its end. */
  readonly state: LogState;
  /** The term of an entry from `firstIndex` to the end; undefined if it is not known. */
  readonly termAt: (index: RaftIndex) => Term | undefined;
  readonly segments: readonly {
    readonly file: string;
    readonly frames: number;
    /** Entry records, also those that later ones replaced. */
    readonly entries: number;
    readonly usedBytes: number;
    readonly sizeBytes: number;
  }[];
  /** The trace of a crash, which the next start will cut off. Not damage. */
  readonly tornTail: { readonly file: string; readonly offset: number; readonly what: string } | undefined;
  /** Files in the folder that are no part of the log. */
  readonly otherFiles: readonly string[];
}

/** Reads every segment. Rejects with a WalCorruptError at the first damage, and with a WalIoError if a file cannot be
 * read. */
export async function verifyWal(
  dir: string,
  disk: Disk = nodeDisk,
  clock: Clock = systemClock,
): Promise<WalReport> {
  const list = await listSegments(disk, dir);
  const first = list.segments[0];
  if (first === undefined) throw new WalCorruptError(dir, 0, "no log");
  const segments: WalReport["segments"][number][] = [];
  let entriesBefore = 0;
  const { replay, last, lastStart } = await readLog({
    disk,
    clock,
    dir,
    segments: list.segments,
    from: (first.firstIndex - 1) as RaftIndex,
    keepEntries: false,
    onSegment: ({ name }, read, { entryRecords }) => {
      const entries = entryRecords - entriesBefore;
      entriesBefore = entryRecords;
      const { frames, end: usedBytes, sizeBytes } = read;
      segments.push({ file: name.name, frames, entries, usedBytes, sizeBytes });
    },
  });
  const { torn } = last;
  return {
    metadata: replay.metadataFound!,
    firstIndex: (replay.base + 1) as RaftIndex,
    termAt: (index) => replay.terms.at(index) as Term | undefined,
    state: replay.state,
    segments,
    tornTail: torn && { file: lastStart.name.name, offset: torn.position, what: torn.what },
    otherFiles: [
      ...list.detached.map((segment) => segment.name),
      ...list.temporary,
      ...list.broken,
      ...list.foreign,
    ],
  };
}

/** Which segments a folder holds, and from which one a reader has to begin. */
import type { Disk } from "../lib/disk.ts";
import { brokenSuffix, parseSegmentName, type SegmentName, temporarySuffix } from "./segment-name.ts";
import { explained, WalCorruptError } from "./wal.ts";

export interface SegmentList {
  /** The newest segments, in order, without a hole between them. */
  readonly segments: readonly SegmentName[];
  /** Older ones with a hole behind them: what an interrupted removal leaves, or a segment is missing. */
  readonly detached: readonly SegmentName[];
  /** Segments that were never finished. */
  readonly temporary: readonly string[];
  /** Kept ends of torn segments. */
  readonly broken: readonly string[];
  /** Names that are not ours. */
  readonly foreign: readonly string[];
}

export async function listSegments(disk: Disk, dir: string): Promise<SegmentList> {
  const names = (await explained("read the folder", dir, disk.list(dir))).sort();
  const all: SegmentName[] = [];
  const temporary: string[] = [];
  const broken: string[] = [];
  const foreign: string[] = [];
  for (const name of names) {
    const segment = parseSegmentName(name);
    if (segment !== undefined) all.push(segment);
    else if (name.endsWith(temporarySuffix)) temporary.push(name);
    else if (name.endsWith(brokenSuffix)) broken.push(name);
    else foreign.push(name);
  }
  let begin = all.length - 1;
  for (; begin > 0; begin--) {
    const gap = all[begin]!.sequence - all[begin - 1]!.sequence;
    if (gap === 0) {
      throw new WalCorruptError(
        `${dir}/${all[begin]!.name}`,
        0,
        `a second segment of the same number (${all[begin - 1]!.name})`,
      );
    }
    if (gap > 1) break;
  }
  begin = Math.max(begin, 0);
  return { segments: all.slice(begin), detached: all.slice(0, begin), temporary, broken, foreign };
}

/**
 * The segments that have to be read for the entries after `from`, oldest first: from the last one on that was begun
 * when the log ended at or before `from`. Gives all if even the first was begun later.
 */
export function segmentsFrom(segments: readonly SegmentName[], from: number): readonly SegmentName[] {
  for (let i = segments.length - 1; i > 0; i--) {
    if (segments[i]!.firstIndex <= from + 1) return segments.slice(i);
  }
  return segments;
}

/** Which segments nobody needs any more. */
import type { SegmentName } from "./segment-name.ts";

/**
 * How many of the oldest segments hold only entries up to `index`, while the newest `keepSegments` stay (at least the
 * one that is written). Segments are given oldest first.
 */
export function removableSegments(
  segments: readonly SegmentName[],
  index: number,
  keepSegments: number,
): number {
  const most = segments.length - Math.max(keepSegments, 1);
  let removable = 0;
  // A segment that begins at or before index + 1 makes all those before it superfluous. First indexes do not always
  // grow: entries may have been replaced from an earlier index on.
  for (let i = 1; i <= most; i++) if (segments[i]!.firstIndex <= index + 1) removable = i;
  return removable;
}

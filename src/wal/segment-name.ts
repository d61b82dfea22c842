/** Names of segment files: `<sequence>-<first index>.wal`, both in 16 hexadecimal digits, as etcd names its own. */

export interface SegmentName {
  readonly name: string;
  readonly sequence: number;
  /** The log's next index when the segment was begun. */
  readonly firstIndex: number;
}

const segmentPattern = /^([0-9a-f]{16})-([0-9a-f]{16})\.wal$/;
/** A segment that was being made. */
export const temporarySuffix = ".tmp";
/** What was cut off a torn tail, kept for whoever wants to know what happened. */
export const brokenSuffix = ".broken";

export function segmentName(sequence: number, firstIndex: number): SegmentName {
  return { name: `${hex16(sequence)}-${hex16(firstIndex)}.wal`, sequence, firstIndex };
}

/** Undefined if `name` is not that of a segment. */
export function parseSegmentName(name: string): SegmentName | undefined {
  const match = segmentPattern.exec(name);
  if (match === null) return undefined;
  const sequence = Number.parseInt(match[1]!, 16);
  const firstIndex = Number.parseInt(match[2]!, 16);
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(firstIndex)) return undefined;
  return { name, sequence, firstIndex };
}

export function brokenName(segment: string, offset: number): string {
  return `${segment}.${offset.toString(16)}${brokenSuffix}`;
}

function hex16(value: number): string {
  return value.toString(16).padStart(16, "0");
}

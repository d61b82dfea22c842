/** The names of the log's files. */

export interface SegmentName {
  readonly name: string;
  readonly sequence: number;
  /** Of the first entry that may be in it. */
  readonly index: number;
}

const pattern = /^([0-9a-f]{16})-([0-9a-f]{16})\.wal$/;

/** Those among `names` that are files of the log, in order; others (`0.tmp`, `*.broken`) are left out. */
export function segmentsAmong(names: readonly string[]): SegmentName[] {
  return names
    .map((name) => ({ name, found: pattern.exec(name) }))
    .flatMap(({ name, found }) =>
      found ? [{ name, sequence: Number(`0x${found[1]}`), index: Number(`0x${found[2]}`) }] : [],
    )
    .sort((a, b) => a.sequence - b.sequence);
}

const hex16 = (value: number): string => value.toString(16).padStart(16, "0");

export const segmentName = (sequence: number, index: number): string =>
  `${hex16(sequence)}-${hex16(index)}.wal`;

/**
 * The orders that a Range can ask for, and a sort that can be paused: sorting a million rows at once would hold the
 * event loop for most of a second.
 */
import type { Version } from "../../backend/backend.ts";
import { SortTarget } from "../../codec/kv.ts";
import type { Steps } from "../../lib/steps.ts";

export type CompareRows = (a: Version, b: Version) => number;

/** Runs that the built-in sort does in one go. */
const runRows = 512;

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const ascending: Readonly<Record<number, CompareRows>> = {
  [SortTarget.version]: (a, b) => a.version - b.version,
  [SortTarget.create]: (a, b) => a.createRevision - b.createRevision,
  [SortTarget.mod]: (a, b) => a.modRevision - b.modRevision,
  [SortTarget.value]: (a, b) => compareBytes(a.value, b.value),
};

/** For a target that is not the key. Rows that compare equal stay in key order, also when descending. */
export function rowOrder(target: number, descending: boolean): CompareRows {
  const compare = ascending[target];
  if (compare === undefined) throw new Error(`mvcc: unknown sort target ${target}`);
  return descending ? (a, b) => compare(b, a) : compare;
}

/** A stable merge sort: short runs by the built-in sort, then merged pairwise. Returns a new array, or `rows`. */
export function* sortRows(rows: Version[], compare: CompareRows): Steps<Version[]> {
  if (rows.length <= runRows) return rows.sort(compare);
  let source: Version[] = [];
  for (let at = 0; at < rows.length; at += runRows) {
    for (const row of rows.slice(at, at + runRows).sort(compare)) source.push(row);
    yield;
  }
  for (let width = runRows; width < source.length; width *= 2) {
    const target: Version[] = [];
    for (let at = 0; at < source.length; at += 2 * width)
      yield* mergeRuns(source, at, width, compare, target);
    source = target;
  }
  return source;
}

function* mergeRuns(
  source: readonly Version[],
  at: number,
  width: number,
  compare: CompareRows,
  target: Version[],
): Steps<void> {
  const middle = Math.min(at + width, source.length);
  const end = Math.min(middle + width, source.length);
  let left = at;
  let right = middle;
  while (left < middle || right < end) {
    const takeLeft = right >= end || (left < middle && compare(source[left]!, source[right]!) <= 0);
    target.push(takeLeft ? source[left++]! : source[right++]!);
    if (target.length % 1024 === 0) yield;
  }
}

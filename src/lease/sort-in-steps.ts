/** Sorting too much for one go: runs are sorted, then merged two by two. */
import type { Steps } from "../lib/steps.ts";

/** Items that one step sorts or merges. */
const itemsPerStep = 2048;

interface Dated {
  readonly keyMs: number;
}

/** The items by time, earliest first. */
export function* sortInSteps<T extends Dated>(items: readonly T[]): Steps<T[]> {
  let runs: T[][] = [];
  for (let first = 0; first < items.length; first += itemsPerStep) {
    runs.push(items.slice(first, first + itemsPerStep).sort((a, b) => a.keyMs - b.keyMs));
    if (items.length > itemsPerStep) yield;
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const second = runs[i + 1];
      merged.push(second === undefined ? runs[i]! : yield* mergeInSteps(runs[i]!, second));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* mergeInSteps<T extends Dated>(a: readonly T[], b: readonly T[]): Steps<T[]> {
  const merged: T[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const fromA = j === b.length || (i < a.length && a[i]!.keyMs <= b[j]!.keyMs);
    merged.push(fromA ? a[i++]! : b[j++]!);
    if (merged.length % itemsPerStep === 0) yield;
  }
  return merged;
}

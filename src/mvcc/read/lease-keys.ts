/** Which keys are attached to a lease. Nothing keeps a list: overlay and backend each know, and the newer wins. */
import type { BinaryKey } from "../../backend/backend.ts";
import type { LeaseId } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import type { OverlayGeneration } from "../overlay/generation.ts";
import type { ReadView } from "./read-view.ts";

const keysPerStep = 256;
/** Keys that the built-in sort orders in one go; more of them are sorted in runs and merged. */
const sortRun = 2048;

/** In key order, as the view sees it. */
export function* leaseKeys(view: ReadView, lease: LeaseId): Steps<BinaryKey[]> {
  const fromOverlay: BinaryKey[] = [];
  if (view.touchesOverlay) {
    const seen = new Set<BinaryKey>();
    yield* attachedIn(view, view.active, lease, seen, fromOverlay);
    if (view.sealed !== undefined) yield* attachedIn(view, view.sealed, lease, seen, fromOverlay);
  }
  const sorted = yield* sortKeys(fromOverlay);
  return yield* mergeWithBackend(view, lease, sorted);
}

function* attachedIn(
  view: ReadView,
  generation: OverlayGeneration,
  lease: LeaseId,
  seen: Set<BinaryKey>,
  into: BinaryKey[],
): Steps<void> {
  let looked = 0;
  for (const key of generation.leaseKeys.get(lease) ?? []) {
    if (++looked % keysPerStep === 0) yield;
    if (seen.has(key)) continue;
    seen.add(key);
    if (view.overlayVersionAt(key)?.lease === lease) into.push(key);
  }
}

function* mergeWithBackend(
  view: ReadView,
  lease: LeaseId,
  overlay: readonly BinaryKey[],
): Steps<BinaryKey[]> {
  const merged: BinaryKey[] = [];
  let next = 0;
  let after: BinaryKey | undefined;
  for (;;) {
    const page = view.backend.keysOfLease(lease, after, keysPerStep);
    for (const key of page) {
      while (next < overlay.length && overlay[next]! < key) merged.push(overlay[next++]!);
      // What the overlay knows of a key was asked above.
      if (view.overlayVersionAt(key) === undefined) merged.push(key);
    }
    if (page.length < keysPerStep) break;
    after = page[page.length - 1];
    yield;
  }
  while (next < overlay.length) merged.push(overlay[next++]!);
  return merged;
}

/** Sorts `keys`, in place if they are few, and pauses now and then if they are many. */
export function* sortKeys(keys: BinaryKey[]): Steps<BinaryKey[]> {
  if (keys.length <= sortRun) return keys.sort();
  let runs: BinaryKey[][] = [];
  for (let at = 0; at < keys.length; at += sortRun) {
    runs.push(keys.slice(at, at + sortRun).sort());
    yield;
  }
  while (runs.length > 1) {
    const longer: BinaryKey[][] = [];
    for (let i = 0; i < runs.length; i += 2) longer.push(yield* mergeKeys(runs[i]!, runs[i + 1] ?? []));
    runs = longer;
  }
  return runs[0]!;
}

function* mergeKeys(a: readonly BinaryKey[], b: readonly BinaryKey[]): Steps<BinaryKey[]> {
  const merged: BinaryKey[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    merged.push(j >= b.length || (i < a.length && a[i]! <= b[j]!) ? a[i++]! : b[j++]!);
    if (merged.length % sortRun === 0) yield;
  }
  return merged;
}

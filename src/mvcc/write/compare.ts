/** The comparisons at the head of a transaction. */
import type { Version } from "../../backend/backend.ts";
import type { Compare } from "../../codec/kv.ts";
import { CompareResult, CompareTarget } from "../../codec/kv.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";
import type { LeaseId, Revision } from "../../lib/ids.ts";
import { noLease } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import { keysPerStep, MergedScan } from "../read/merged-scan.ts";
import type { ReadView } from "../read/read-view.ts";
import { isEmpty, spanOf } from "../read/read-view.ts";
import { compareBytes } from "../read/sort-rows.ts";

const noBytes = new Uint8Array(0);

/** What a missing key compares as (except for its value, which compares with nothing). */
const missing = {
  createRevision: 0 as Revision,
  modRevision: 0 as Revision,
  version: 0,
  lease: noLease as LeaseId,
  value: noBytes,
};

type Comparable = Pick<Version, "createRevision" | "modRevision" | "version" | "lease" | "value">;

/** Whether all comparisons hold at the view's revision. The first that does not ends the look. */
export function* comparesHold(view: ReadView, compares: readonly Compare[]): Steps<boolean> {
  for (const compare of compares) {
    const holds =
      compare.rangeEnd.length === 0 ? holdsForKey(view, compare) : yield* holdsForSpan(view, compare);
    if (!holds) return false;
  }
  return true;
}

function holdsForKey(view: ReadView, compare: Compare): boolean {
  const version = view.versionAt(toBinaryKey(compare.key));
  if (version === undefined || version.version === 0) return holdsForNothing(compare);
  return holdsFor(compare, version);
}

/** A range holds if it does for each of its keys; an empty one is compared like a missing key. */
function* holdsForSpan(view: ReadView, compare: Compare): Steps<boolean> {
  const span = spanOf(toBinaryKey(compare.key), toBinaryKey(compare.rangeEnd));
  if (isEmpty(span)) return holdsForNothing(compare);
  const scan = new MergedScan(view, span, { keysOnly: compare.target !== CompareTarget.value });
  let met = false;
  for (;;) {
    const rows: Version[] = [];
    scan.fill(rows, keysPerStep);
    for (const row of rows) {
      if (!holdsFor(compare, row)) return false;
    }
    met ||= rows.length > 0;
    if (scan.done) return met || holdsForNothing(compare);
    yield;
  }
}

function holdsForNothing(compare: Compare): boolean {
  return compare.target !== CompareTarget.value && holdsFor(compare, missing);
}

function holdsFor(compare: Compare, version: Comparable): boolean {
  const order = orderOf(compare, version);
  switch (compare.result) {
    case CompareResult.equal:
      return order === 0;
    case CompareResult.notEqual:
      return order !== 0;
    case CompareResult.greater:
      return order > 0;
    case CompareResult.less:
      return order < 0;
    default:
      return true;
  }
}

/** Negative, 0 or positive, as the version's field is below, at or above the operand. An operand that was left out
 * is zero, or no bytes. */
function orderOf(compare: Compare, version: Comparable): number {
  const { operand } = compare;
  switch (compare.target) {
    case CompareTarget.value:
      return compareBytes(version.value, operand instanceof Uint8Array ? operand : noBytes);
    case CompareTarget.create:
      return version.createRevision - toNumber(operand);
    case CompareTarget.mod:
      return version.modRevision - toNumber(operand);
    case CompareTarget.version:
      return version.version - toNumber(operand);
    case CompareTarget.lease: {
      const other = typeof operand === "bigint" ? operand : BigInt(toNumber(operand));
      return version.lease === other ? 0 : version.lease < other ? -1 : 1;
    }
    default:
      return 0;
  }
}

function toNumber(operand: Compare["operand"]): number {
  return typeof operand === "number" || typeof operand === "bigint" ? Number(operand) : 0;
}

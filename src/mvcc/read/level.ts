/**
 * One level of the tree that a separator makes of the keys. Whatever lies below a branch is passed over in one look: the
 * search goes on at the end of the branch's prefix.
 */
import type { BinaryKey, KeySpan, Version } from "../../backend/backend.ts";
import type { Steps } from "../../lib/steps.ts";
import { countLive } from "./count.ts";
import { MergedScan } from "./merged-scan.ts";
import type { ReadView } from "./read-view.ts";
import { isEmpty } from "./read-view.ts";

export interface LevelRequest {
  readonly span: KeySpan;
  /** Names of entries begin after so many bytes of their keys. */
  readonly prefixLength: number;
  /** At least one byte. */
  readonly separator: BinaryKey;
  /** At most so many entries. */
  readonly limit: number;
  /** Count the keys below each branch, which does cost time for each of them. */
  readonly count: boolean;
}

export interface LevelEntry {
  /** The key, or for a branch what its keys begin with, separator included. */
  readonly key: BinaryKey;
  readonly isBranch: boolean;
  /** 1 for a key, 0 for a branch that is not counted. */
  readonly count: number;
}

export interface Level {
  readonly entries: readonly LevelEntry[];
  /** The key that the rest begins with. */
  readonly next: BinaryKey | undefined;
}

/** Rows that are read at a time: few, for most of them may be passed over. */
const rowsPerReadMin = 2;
const rowsPerReadMax = 64;
/** Reads between two pauses. */
const readsPerStep = 16;

/** The first key after all that begin with `prefix`; undefined if there can be none. */
export function prefixSuccessor(prefix: BinaryKey): BinaryKey | undefined {
  for (let at = prefix.length - 1; at >= 0; at--) {
    const unit = prefix.charCodeAt(at);
    if (unit < 0xff) return prefix.slice(0, at) + String.fromCharCode(unit + 1);
  }
  return undefined;
}

export function* readLevel(view: ReadView, request: LevelRequest): Steps<Level> {
  const found = yield* namesOf(view, request);
  if (!request.count) return found;
  const entries: LevelEntry[] = [];
  for (const entry of found.entries) {
    if (!entry.isBranch) entries.push(entry);
    else entries.push({ ...entry, count: yield* countLive(view, within(request.span, entry.key)) });
  }
  return { entries, next: found.next };
}

/** The part of the span that lies below a branch: a span may begin or end within one. */
function within({ from, to }: KeySpan, branch: BinaryKey): KeySpan {
  const end = prefixSuccessor(branch);
  const isEndEarlier = to === undefined || (end !== undefined && end < to);
  return { from: from > branch ? from : branch, to: isEndEarlier ? end : to };
}

function* namesOf(view: ReadView, { span, prefixLength, separator, limit }: LevelRequest): Steps<Level> {
  const entries: LevelEntry[] = [];
  let rest: KeySpan = span;
  let rowsPerRead = rowsPerReadMin;
  for (let reads = 1; !isEmpty(rest); reads++) {
    const rows = yield* someRows(view, rest, rowsPerRead);
    if (rows.length === 0) break;
    let branchEnd: BinaryKey | undefined;
    for (const { key } of rows) {
      if (entries.length === limit) return { entries, next: key };
      const at = key.indexOf(separator, prefixLength);
      if (at < 0) {
        entries.push({ key, isBranch: false, count: 1 });
        continue;
      }
      const branch = key.slice(0, at + separator.length);
      entries.push({ key: branch, isBranch: true, count: 0 });
      branchEnd = prefixSuccessor(branch);
      if (branchEnd === undefined) return { entries, next: undefined };
      break;
    }
    // Keys that follow each other are read in growing portions; after a branch there may be another.
    rowsPerRead = branchEnd === undefined ? Math.min(4 * rowsPerRead, rowsPerReadMax) : rowsPerReadMin;
    rest = { from: branchEnd ?? `${rows.at(-1)!.key}\0`, to: span.to };
    if (reads % readsPerStep === 0) yield;
  }
  return { entries, next: undefined };
}

/** The first rows of a span: at least one, if there is any. */
function* someRows(view: ReadView, span: KeySpan, wanted: number): Steps<Version[]> {
  const scan = new MergedScan(view, span, { keysOnly: true, expectedRows: wanted });
  const rows: Version[] = [];
  for (;;) {
    scan.fill(rows, wanted);
    if (rows.length > 0 || scan.done) return rows;
    yield;
  }
}

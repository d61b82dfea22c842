/** Compares all of a store with the naive model. */
import assert from "node:assert/strict";
import type { LeaseId, Revision } from "../../lib/ids.ts";
import type { Backend, BinaryKey, Version } from "../backend.ts";
import { countAll, everything, rev } from "./contract-subject.ts";
import type { NaiveModel } from "./naive-model.ts";

const leases = [1n, 2n, 3n] as LeaseId[];
const rowsMax = 1e6;
const bytesMax = Number.POSITIVE_INFINITY;

/** What a store should answer: computed once, because the model is slow and is compared with many stores. */
export interface Expected {
  readonly revision: Revision;
  readonly compactRevision: Revision;
  readonly keys: readonly BinaryKey[];
  /** The rows at some revisions from the compact revision on. */
  readonly rows: readonly { readonly at: Revision; readonly lines: readonly string[]; readonly live: Live }[];
  readonly heads: readonly { readonly key: BinaryKey; readonly modRevision: Revision }[];
  readonly history: readonly string[];
  readonly leased: readonly (readonly BinaryKey[])[];
  readonly meta: readonly string[];
}

type Live = ReadonlyMap<BinaryKey, string>;

/** A row as text, which compares quickly and shows well. */
function line(row: Version): string {
  const { key, modRevision, sub, createRevision, version, lease, value } = row;
  const text = Buffer.from(value).toString("latin1");
  return `${key} ${modRevision}.${sub} ${createRevision} ${version} ${lease} ${text}`;
}

export function expectedOf(model: NaiveModel): Expected {
  const revision = rev(model.revision);
  const compactRevision = rev(model.compactRevision);
  const middle = rev(Math.floor((revision + compactRevision) / 2));
  const newest = model.scan(everything, revision);
  return {
    revision,
    compactRevision,
    keys: [...new Set(model.versions.map((version) => version.key))],
    rows: [revision, middle, compactRevision].map((at) => {
      const rows = model.scan(everything, at);
      return { at, lines: rows.map(line), live: new Map(rows.map((row) => [row.key, line(row)])) };
    }),
    heads: newest.map(({ key, modRevision }) => ({ key, modRevision })),
    history: model.history(afterCompacted(compactRevision)).map(line),
    leased: leases.map((lease) => model.keysOfLease(lease)),
    meta: model.metaRows("lease").map(metaLine),
  };
}

const afterCompacted = (revision: Revision) => ({ revision, sub: Number.MAX_SAFE_INTEGER });
const metaLine = (row: { key: string; value: Uint8Array }) =>
  `${row.key} ${Buffer.from(row.value).toString("latin1")}`;

function same(actual: readonly string[], expected: readonly string[], what: string): void {
  const at = expected.findIndex((text, i) => text !== actual[i]);
  if (at < 0 && actual.length === expected.length) return;
  const i = at < 0 ? expected.length : at;
  const short = (text: string | undefined) => text?.slice(0, 80);
  assert.fail(`${what}: row ${i} is ${short(actual[i])} instead of ${short(expected[i])}`);
}

/**
 * Every question that the contract answers for certain: about revisions from the compact revision on. Whoever damages
 * the store on purpose catches what is thrown.
 */
export function compareWith(backend: Backend, expected: Expected): void {
  for (const { at, lines, live } of expected.rows) {
    same(backend.scan(everything, { atRevision: at, limit: rowsMax }).map(line), lines, `scan at ${at}`);
    const options = { atRevision: at, limit: rowsMax, keysOnly: true, descending: true };
    const keys = backend.scan(everything, options).map(({ key }) => key);
    same(keys.reverse(), [...live.keys()], `keys at ${at}`);
    for (const key of expected.keys) {
      const version = backend.versionAt(key, at);
      const actual = version && version.version > 0 ? line(version) : undefined;
      if (actual !== live.get(key)) assert.fail(`${key} at ${at}: ${actual} instead of ${live.get(key)}`);
      const none = backend.versionAt(`${key} not there`, at);
      if (none && none.version > 0) assert.fail(`a key that was never there: ${none.key}`);
    }
  }
  for (const { key, modRevision } of expected.heads) {
    const actual = backend.newestHead(key)?.modRevision;
    if (actual !== modRevision) assert.fail(`head of ${key}: ${actual} instead of ${modRevision}`);
  }
  const after = afterCompacted(expected.compactRevision);
  same(backend.history(after, rowsMax, bytesMax).map(line), expected.history, "history");
  for (const [i, lease] of leases.entries()) {
    same(backend.keysOfLease(lease, undefined, rowsMax), expected.leased[i]!, `keys of lease ${lease}`);
  }
  same(backend.meta("lease", undefined, rowsMax).map(metaLine), expected.meta, "meta");
}

/** Counts are right too, unless the store is damaged: they are not verified row by row. */
export function compareCounts(backend: Backend, expected: Expected): void {
  for (const { at, lines } of expected.rows) {
    assert.equal(countAll(backend, everything, at, 1000), lines.length, `count at ${at}`);
  }
}

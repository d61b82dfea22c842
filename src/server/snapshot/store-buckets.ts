/**
 * What a store holds at one position, as etcd's buckets. The history is read from the backend while it is written: it
 * does not change up to a revision. All other rows do change, so they are copied first.
 */
import { authBuckets, authRevisionKey, authRevisionRow, firstAuthRevision } from "../../auth/auth-state.ts";
import type { Backend, BinaryKey, Version } from "../../backend/backend.ts";
import type { Batches, BucketSource, Row, RowSize } from "../../bbolt/database-source.ts";
import { encodeKeyValue, keyValueSize } from "../../codec/key-value.ts";
import type { KeyValue } from "../../codec/kv.ts";
import { fromBinaryKey, toBinaryKey } from "../../lib/binary-key.ts";
import { noLease, type Revision } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import { membershipBuckets } from "../../membership/cluster.ts";
import { metaBucket } from "../../membership/conf-state-row.ts";
import { storageVersionIn } from "../versions.ts";
import { allBuckets, keyBucket, plainBuckets, positionKeys } from "./etcd-buckets.ts";
import { PackedRows } from "./packed-rows.ts";
import { encodeNumber, encodeRevisionKey, revisionKeyBytes, tombstoneKeyBytes } from "./revision-key.ts";

/** The part of a backend that a snapshot reads. */
export type SnapshotBackend = Pick<Backend, "position" | "history" | "meta">;

const historyRows = 128;
const historyBytes = 256 * 1024;
const metaRows = 256;

/** The rows of all buckets but "key" as they are now. Nothing may be written meanwhile. */
export function* copyPlainBuckets(backend: SnapshotBackend): Steps<Map<string, PackedRows>> {
  const copies = new Map<string, PackedRows>();
  for (const bucket of plainBuckets) {
    copies.set(bucket, bucket === metaBucket ? yield* copyMeta(backend) : yield* copyBucket(backend, bucket));
  }
  addAuthRevision(copies.get(authBuckets.auth)!);
  return copies;
}

/** An etcd that takes this file over while it runs counts on the row, which our store has only since the first change. */
function addAuthRevision(rows: PackedRows): void {
  for (const batch of rows.batches()) {
    for (const { key } of batch) if (toBinaryKey(key) === authRevisionKey) return;
  }
  // "authEnabled" comes before it, and there is no other row.
  rows.add(fromBinaryKey(authRevisionKey), authRevisionRow(firstAuthRevision).value!);
}

function* copyBucket(backend: SnapshotBackend, bucket: string): Steps<PackedRows> {
  const rows = new PackedRows();
  for (let after: BinaryKey | undefined; ; ) {
    const page = backend.meta(bucket, after, metaRows);
    for (const { key, value } of page) rows.add(fromBinaryKey(key), value);
    after = page.at(-1)?.key;
    yield undefined;
    if (page.length < metaRows) return rows;
  }
}

/** With the rows that our store has as its position. */
function* copyMeta(backend: SnapshotBackend): Steps<PackedRows> {
  const found = new Map<BinaryKey, Uint8Array>(positionRows(backend));
  const stored = yield* copyBucket(backend, metaBucket);
  for (const batch of stored.batches())
    for (const { key, value } of batch) found.set(toBinaryKey(key), value);
  for (const [key, value] of positionRows(backend)) found.set(key, value);
  const rows = new PackedRows();
  for (const key of [...found.keys()].sort()) rows.add(fromBinaryKey(key), found.get(key)!);
  return rows;
}

function positionRows(backend: SnapshotBackend): [BinaryKey, Uint8Array][] {
  const { appliedIndex, appliedTerm, compactRevision, compactedRevision } = backend.position;
  const { index, term, scheduledCompaction, finishedCompaction } = positionKeys;
  const rows: [BinaryKey, Uint8Array][] = [
    [index, encodeNumber(appliedIndex)],
    [term, encodeNumber(appliedTerm)],
    [positionKeys.storageVersion, new TextEncoder().encode(storageVersionIn(clusterVersionOf(backend)))],
  ];
  if (compactRevision > 0) rows.push([scheduledCompaction, encodeRevisionKey(compactRevision, 0)]);
  if (compactedRevision > 0) rows.push([finishedCompaction, encodeRevisionKey(compactedRevision, 0)]);
  return rows;
}

function clusterVersionOf(backend: SnapshotBackend): string | undefined {
  const { cluster, clusterVersionKey } = membershipBuckets;
  const row = backend.meta(cluster, undefined, 100).find(({ key }) => key === clusterVersionKey);
  return row && new TextDecoder().decode(row.value);
}

/** All ten buckets in order, as they were at `revision`, with the rows that were copied then. */
export function bucketsAt(
  backend: SnapshotBackend,
  revision: Revision,
  copies: ReadonlyMap<string, PackedRows>,
): BucketSource[] {
  return allBuckets.map((name) =>
    name === keyBucket ? historyBucket(backend, revision) : packedBucket(name, copies.get(name)!),
  );
}

function packedBucket(name: string, packed: PackedRows): BucketSource {
  return {
    name,
    *sizes() {
      for (const rows of packed.batches()) {
        yield rows.map(({ key, value }) => ({ keyBytes: key.length, valueBytes: value.length }));
      }
    },
    rows: () => packed.batches(),
  };
}

function historyBucket(backend: SnapshotBackend, revision: Revision): BucketSource {
  return {
    name: keyBucket,
    sizes: () => historyPages(backend, revision, sizeOf),
    rows: () => historyPages(backend, revision, rowOf),
  };
}

/** Goes over all versions up to `revision`. */
function* historyPages<T>(
  backend: SnapshotBackend,
  revision: Revision,
  convert: (version: Version) => T,
): Batches<T> {
  let after = { revision: 0 as Revision, sub: 0 };
  for (;;) {
    const page = backend.history(after, historyRows, historyBytes);
    while (page.length > 0 && page.at(-1)!.modRevision > revision) page.pop();
    const last = page.at(-1);
    if (last === undefined) return;
    yield page.map(convert);
    after = { revision: last.modRevision, sub: last.sub };
  }
}

const noBytes = new Uint8Array(0);

/** The message that etcd keeps for a version: of a deletion only the key; of the empty key, which marks a revision that was
 * bumped, nothing. */
function messageOf(version: Version): KeyValue {
  const key = fromBinaryKey(version.key);
  if (version.version === 0 || key.length === 0) {
    return { key, createRevision: 0, modRevision: 0, version: 0, value: noBytes, lease: noLease };
  }
  const { createRevision, modRevision, value, lease } = version;
  return { key, createRevision, modRevision, version: version.version, value, lease };
}

function sizeOf(version: Version): RowSize {
  const keyBytes = version.version === 0 ? tombstoneKeyBytes : revisionKeyBytes;
  return { keyBytes, valueBytes: keyValueSize(messageOf(version)) };
}

function rowOf(version: Version): Row {
  const key = encodeRevisionKey(version.modRevision, version.sub, version.version === 0);
  return { key, value: encodeKeyValue(messageOf(version)) };
}

/** Rows of a database file as rows of our store, checked. */
import type { Version } from "../../backend/backend.ts";
import type { DatabaseFile } from "../../bbolt/database-file.ts";
import type { Row } from "../../bbolt/database-source.ts";
import { decodeKeyValue } from "../../codec/key-value.ts";
import { decodeLeaseRow, leaseIdOfRowKey } from "../../codec/lease-row.ts";
import { DecodeError } from "../../codec/protowire-read.ts";
import { leaseBucket } from "../../lease/lessor.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";
import { noLease, type Revision } from "../../lib/ids.ts";
import { decodeRevisionKey, type RevisionKey } from "./revision-key.ts";

/** What the store keeps of a transaction's order has 32 bits. */
const subMax = 0xffff_ffff;
const noBytes = new Uint8Array(0);

/**
 * The row that etcdutl leaves when it is told to bump the revision: the empty key, which no client can write, without a
 * value. It counts in HashKV, so it has to be kept.
 */
export function bumpedTo(revision: Revision): Version {
  return {
    key: "",
    modRevision: revision,
    sub: 0,
    createRevision: revision,
    version: 1,
    lease: noLease,
    value: noBytes,
  };
}

/** A row of the bucket "key". Throws a BboltCorruptError. */
export function versionOf(file: DatabaseFile, page: number, { key, value }: Row): Version {
  const place = decodeRevisionKey(key) ?? file.fail(page, "a row of bucket key has no revision for its key");
  const { main, sub, isTombstone } = place;
  const revision = main as Revision;
  if (sub > subMax) file.fail(page, `${nameOf(place)} has a place that is too high`);
  if (value.length === 0 && !isTombstone) return { ...bumpedTo(revision), sub };
  const kv = decoded(file, page, place, value);
  const head = { key: toBinaryKey(kv.key), modRevision: revision, sub };
  if (isTombstone) {
    const nothing = { createRevision: 0 as Revision, version: 0, lease: noLease, value: noBytes };
    return { ...head, ...nothing };
  }
  const { createRevision, version, lease } = kv;
  if (kv.modRevision !== main)
    file.fail(page, `${nameOf(place)} says that it is of revision ${kv.modRevision}`);
  if (!(version > 0 && createRevision > 0 && createRevision <= main && Number.isSafeInteger(version))) {
    file.fail(page, `${nameOf(place)} has version ${version} and was created at revision ${createRevision}`);
  }
  return { ...head, createRevision: createRevision as Revision, version, lease, value: kv.value };
}

function decoded(file: DatabaseFile, page: number, place: RevisionKey, value: Uint8Array) {
  try {
    return decodeKeyValue(value);
  } catch (error) {
    if (error instanceof DecodeError) file.fail(page, `${nameOf(place)} cannot be read: ${error.message}`);
    throw error;
  }
}

function nameOf({ main, sub }: RevisionKey): string {
  return `row ${main}_${sub} of bucket key`;
}

/** Throws a BboltCorruptError for a lease that could not be loaded; a server would end at its start because of it. */
export function checkPlainRow(file: DatabaseFile, page: number, bucket: string, { key, value }: Row): void {
  if (bucket !== leaseBucket) return;
  try {
    leaseIdOfRowKey(toBinaryKey(key));
    decodeLeaseRow(value);
  } catch (error) {
    if (error instanceof DecodeError) file.fail(page, `a lease cannot be read: ${error.message}`);
    throw error;
  }
}

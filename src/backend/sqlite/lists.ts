/** Reads in the order of the log, of a lease, and of the rows of other modules. */
import { fromBinaryKey, toBinaryKey } from "../../lib/binary-key.ts";
import type { LeaseId } from "../../lib/ids.ts";
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import type { BinaryKey, Version } from "../backend.ts";
import { BackendCorruptError } from "../errors.ts";
import { leaseBytes, versionFrom } from "./heads.ts";
import type { Horizon } from "./horizon.ts";
import type { PastReader } from "./past.ts";
import type { LeasedRow, LogRow, MetaRow } from "./schema.ts";
import { outOfOrder, verifyLeased, verifyLogRow, verifyMeta } from "./verify-row.ts";

const lowestKey = new Uint8Array(0);

export class ListReader {
  readonly #file: string;
  readonly #horizon: Horizon;
  readonly #past: PastReader;
  readonly #history: SqliteStatement<LogRow>;
  readonly #leased: SqliteStatement<LeasedRow>;
  readonly #leasedBelow: SqliteStatement<LeasedRow>;
  readonly #leasedAbove: SqliteStatement<LeasedRow>;
  readonly #meta: SqliteStatement<MetaRow>;
  readonly #metaBelow: SqliteStatement<MetaRow & { bucket: string }>;
  readonly #metaAbove: SqliteStatement<MetaRow & { bucket: string }>;

  constructor(db: SqliteDatabase, file: string, horizon: Horizon, past: PastReader) {
    this.#file = file;
    this.#horizon = horizon;
    this.#past = past;
    this.#history = db.prepare("SELECT * FROM log WHERE seq > +? ORDER BY seq LIMIT +?");
    this.#leased = db.prepare("SELECT * FROM leased WHERE lease = +? AND key >= +? ORDER BY key LIMIT +?");
    this.#leasedBelow = db.prepare(`SELECT * FROM leased WHERE (lease, key) < (+?, +?)
      ORDER BY lease DESC, key DESC LIMIT 1`);
    this.#leasedAbove = db.prepare(`SELECT * FROM leased WHERE (lease, key) > (+?, +?)
      ORDER BY lease, key LIMIT 1`);
    this.#meta = db.prepare(`SELECT key, value, row_check FROM meta
      WHERE bucket = +? AND key >= +? ORDER BY key LIMIT +?`);
    this.#metaBelow = db.prepare(`SELECT * FROM meta WHERE (bucket, key) < (+?, +?)
      ORDER BY bucket DESC, key DESC LIMIT 1`);
    this.#metaAbove = db.prepare(`SELECT * FROM meta WHERE (bucket, key) > (+?, +?)
      ORDER BY bucket, key LIMIT 1`);
  }

  history(after: { revision: number; sub: number }, limit: number, bytes: number): Version[] {
    const { writtenRevision, writtenSeq, compactRevision } = this.#horizon;
    const place = this.#past.placeOf(after.revision, after.sub);
    // What is newer than the compact revision has no holes.
    let expected = after.revision > compactRevision ? place + 1 : undefined;
    const versions: Version[] = [];
    let size = 0;
    for (const row of this.#history.iterate(place, limit)) {
      verifyLogRow(row, this.#file);
      if (row.main > writtenRevision) return versions;
      if (expected !== undefined && row.seq !== expected) throw this.#hole(expected, row.seq);
      if (row.main > compactRevision) expected = row.seq + 1;
      versions.push(versionFrom(row, toBinaryKey(row.key), row.value));
      size += row.key.length + row.value.length;
      if (size >= bytes) return versions;
    }
    if (versions.length < limit && expected !== undefined && expected <= writtenSeq) {
      throw this.#hole(expected, writtenSeq + 1);
    }
    return versions;
  }

  #hole(from: number, to: number): BackendCorruptError {
    return new BackendCorruptError(this.#file, `rows ${from} to ${to - 1} of log`, "versions are missing");
  }

  keysOfLease(lease: LeaseId, after: BinaryKey | undefined, limit: number): BinaryKey[] {
    const keys: BinaryKey[] = [];
    const bytes = leaseBytes(lease);
    const start = startOf(after);
    // As in a scan: a damaged row may lead the search astray, or end it, without being part of the answer.
    this.#verifyLeased(this.#leasedBelow.get(bytes, start));
    let last = start;
    for (const row of this.#leased.iterate(bytes, start, limit)) {
      verifyLeased(row, this.#file);
      last = row.key;
      const key = toBinaryKey(row.key);
      if (keys.length > 0 && key <= keys[keys.length - 1]!) throw outOfOrder(this.#file, "leased", row.key);
      keys.push(key);
    }
    this.#verifyLeased(this.#leasedAbove.get(bytes, last));
    return keys;
  }

  #verifyLeased(row: LeasedRow | undefined | null): void {
    if (row) verifyLeased(row, this.#file);
  }

  meta(bucket: string, after: BinaryKey | undefined, limit: number): { key: BinaryKey; value: Uint8Array }[] {
    const rows: { key: BinaryKey; value: Uint8Array }[] = [];
    const start = startOf(after);
    this.#verifyMeta(this.#metaBelow.get(bucket, start));
    let last = start;
    for (const row of this.#meta.iterate(bucket, start, limit)) {
      verifyMeta(row, bucket, this.#file);
      last = row.key;
      const key = toBinaryKey(row.key);
      if (rows.length > 0 && key <= rows[rows.length - 1]!.key) throw outOfOrder(this.#file, "meta", row.key);
      rows.push({ key, value: row.value });
    }
    this.#verifyMeta(this.#metaAbove.get(bucket, last));
    return rows;
  }

  #verifyMeta(row: (MetaRow & { bucket: string }) | undefined | null): void {
    if (row) verifyMeta(row, row.bucket, this.#file);
  }
}

/** The lowest key that is strictly after `after`. */
function startOf(after: BinaryKey | undefined): Uint8Array {
  return after === undefined ? lowestKey : fromBinaryKey(`${after}\0`);
}

/** Reads in the order of the log, of a lease, and of the rows of other modules. */
import { fromBinaryKey, toBinaryKey } from "../../lib/binary-key.ts";
import type { LeaseId } from "../../lib/ids.ts";
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import type { BinaryKey, Version } from "../backend.ts";
import { BackendCorruptError } from "../errors.ts";
import { leaseBytes, leaseOf, versionFrom } from "./heads.ts";
import type { Horizon } from "./horizon.ts";
import type { PastReader } from "./past.ts";
import { curColumns } from "./points.ts";
import type { CurRow, LogRow, MetaRow } from "./schema.ts";
import { keyName, verifyCur, verifyLogRow, verifyMeta } from "./verify-row.ts";

const lowestKey = new Uint8Array(0);

export class ListReader {
  readonly #file: string;
  readonly #horizon: Horizon;
  readonly #past: PastReader;
  readonly #history: SqliteStatement<LogRow>;
  readonly #ofLease: SqliteStatement<CurRow>;
  readonly #meta: SqliteStatement<MetaRow>;

  constructor(db: SqliteDatabase, file: string, horizon: Horizon, past: PastReader) {
    this.#file = file;
    this.#horizon = horizon;
    this.#past = past;
    this.#history = db.prepare("SELECT * FROM log WHERE seq > ? ORDER BY seq LIMIT ?");
    this.#ofLease = db.prepare(`SELECT ${curColumns} FROM cur INDEXED BY cur_lease
      WHERE lease = ? AND key >= ? ORDER BY key LIMIT ?`);
    this.#meta = db.prepare(`SELECT key, value, row_check FROM meta
      WHERE bucket = ? AND key >= ? ORDER BY key LIMIT ?`);
  }

  history(after: { revision: number; sub: number }, limit: number, bytes: number): Version[] {
    const { writtenRevision, compactRevision } = this.#horizon;
    const versions: Version[] = [];
    let size = 0;
    let before: LogRow | undefined;
    for (const row of this.#history.iterate(this.#past.placeOf(after.revision, after.sub), limit)) {
      verifyLogRow(row, this.#file);
      if (row.main > writtenRevision) break;
      // What is newer than the compact revision has no holes.
      if (before && before.main > compactRevision && row.seq !== before.seq + 1) {
        const place = `rows ${before.seq} to ${row.seq} of log`;
        throw new BackendCorruptError(this.#file, place, "versions are missing");
      }
      before = row;
      versions.push(versionFrom(row, toBinaryKey(row.key), row.value));
      size += row.key.length + row.value.length;
      if (size >= bytes) break;
    }
    return versions;
  }

  keysOfLease(lease: LeaseId, after: BinaryKey | undefined, limit: number): BinaryKey[] {
    const keys: BinaryKey[] = [];
    for (const row of this.#ofLease.iterate(leaseBytes(lease), startOf(after), limit)) {
      verifyCur(row, row.key, this.#file);
      if (leaseOf(row.lease) !== lease) {
        throw new BackendCorruptError(this.#file, `key ${keyName(row.key)} in cur_lease`, "a wrong entry");
      }
      keys.push(toBinaryKey(row.key));
    }
    return keys;
  }

  meta(bucket: string, after: BinaryKey | undefined, limit: number): { key: BinaryKey; value: Uint8Array }[] {
    const rows: { key: BinaryKey; value: Uint8Array }[] = [];
    for (const row of this.#meta.iterate(bucket, startOf(after), limit)) {
      verifyMeta(row, bucket, this.#file);
      rows.push({ key: toBinaryKey(row.key), value: row.value });
    }
    return rows;
  }
}

/** The lowest key that is strictly after `after`. */
function startOf(after: BinaryKey | undefined): Uint8Array {
  return after === undefined ? lowestKey : fromBinaryKey(`${after}\0`);
}

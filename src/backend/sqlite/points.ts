/** Reads of one key. */
import { fromBinaryKey } from "../../lib/binary-key.ts";
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import type { BinaryKey, Version, VersionHead } from "../backend.ts";
import { BackendCorruptError } from "../errors.ts";
import { headFrom, versionFrom } from "./heads.ts";
import type { Horizon } from "./horizon.ts";
import type { PastReader } from "./past.ts";
import type { CurRow, LogRow } from "./schema.ts";
import { keyName, verifyCur, verifyLogRow } from "./verify-row.ts";

/** What joins a row of `cur` to its row of the log. The columns that are in both are taken from `cur` and verified
 * with the log's checksum: so neither can be wrong, nor can the way from one to the other. */
export const joinedColumns = `c.key AS key, c.version AS version, c.main AS main, c.seq AS seq, c.chain AS chain,
  l.sub AS sub, l.create_rev AS create_rev, l.lease AS lease, l.prev AS prev, l.head_check AS head_check,
  l.value_check AS value_check, l.value AS value`;
export const joined = `SELECT ${joinedColumns} FROM cur c LEFT JOIN log l ON l.seq = c.seq`;
/**
 * The same, but the log is only looked into for keys that live: a tombstone has nothing there that `cur` has not, and
 * tens of thousands may lie between two living keys. Its row is verified with the checksum of `cur`; so is one that is
 * a tombstone by damage, and fails.
 */
export const joinedLiving = `SELECT c.key AS key, c.version AS version, c.main AS main, c.seq AS seq, c.chain AS chain,
  coalesce(l.sub, c.sub) AS sub, coalesce(l.create_rev, c.create_rev) AS create_rev, l.lease AS lease, l.prev AS prev,
  coalesce(l.head_check, c.head_check) AS head_check, l.value_check AS value_check, l.value AS value
  FROM cur c LEFT JOIN log l ON l.seq = iif(c.version = 0, NULL, c.seq)`;
export const curColumns = "key, version, main, sub, create_rev, lease, seq, chain, head_check";

/** Throws unless both rows are there and whole. */
export function verifyJoined(row: LogRow, file: string): void {
  if (row.prev === null) {
    const place = `row of cur, key ${keyName(row.key)}`;
    throw new BackendCorruptError(file, place, `a key's newest version is not in the log (row ${row.seq})`);
  }
  verifyLogRow(row, file);
}

/** Throws unless the rows are whole that `joinedLiving` joined. */
export function verifyJoinedLiving(row: LogRow, file: string): void {
  if (row.version === 0) verifyCur(row, row.key, file);
  else verifyJoined(row, file);
}

export class PointReader {
  readonly #file: string;
  readonly #horizon: Horizon;
  readonly #past: PastReader;
  readonly #head: SqliteStatement<Omit<CurRow, "key">>;
  readonly #newest: SqliteStatement<LogRow>;
  readonly #neighbours: SqliteStatement<CurRow>;

  constructor(db: SqliteDatabase, file: string, horizon: Horizon, past: PastReader) {
    this.#file = file;
    this.#horizon = horizon;
    this.#past = past;
    this.#head = db.prepare(
      "SELECT version, main, sub, create_rev, lease, seq, chain, head_check FROM cur WHERE key = +?",
    );
    this.#newest = db.prepare(`${joined} WHERE c.key = +?`);
    this.#neighbours =
      db.prepare(`SELECT * FROM (SELECT ${curColumns} FROM cur WHERE key < +? ORDER BY key DESC LIMIT 1)
      UNION ALL SELECT * FROM (SELECT ${curColumns} FROM cur WHERE key > +? ORDER BY key LIMIT 1)`);
  }

  newestHead(key: BinaryKey): VersionHead | undefined {
    const bytes = fromBinaryKey(key);
    const row = this.#head.get(bytes);
    if (!row) {
      this.verifyAround(bytes);
      return undefined;
    }
    verifyCur(row as CurRow, bytes, this.#file);
    if (row.seq >= this.#horizon.nextSeq) {
      const place = `row of cur, key ${keyName(key)}`;
      throw new BackendCorruptError(
        this.#file,
        place,
        `a key's newest version is beyond the log (row ${row.seq})`,
      );
    }
    return headFrom(row, key);
  }

  versionAt(key: BinaryKey, at: number): Version | undefined {
    const bytes = fromBinaryKey(key);
    const newest = this.#newest.get(bytes);
    if (!newest) {
      this.verifyAround(bytes);
      return undefined;
    }
    verifyJoined(newest, this.#file);
    const row = newest.main <= at ? newest : this.#past.versionBefore(bytes, newest, at);
    return row && versionFrom(row, key, row.value);
  }

  /**
   * A search is led astray only by a damaged key that it met, and ends beside that key: verifies the keys on both
   * sides of the place where `key` would be.
   */
  verifyAround(key: Uint8Array): void {
    for (const row of this.#neighbours.all(key, key)) verifyCur(row, row.key, this.#file);
  }
}

/** Reads of many keys. */
import { fromBinaryKey, toBinaryKey } from "../../lib/binary-key.ts";
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import type { BinaryKey, KeySpan, ScanOptions, ScanPart, ScanPartOptions, Version } from "../backend.ts";
import { noBytes, versionFrom } from "./heads.ts";
import type { PastReader } from "./past.ts";
import { curColumns, joined, type PointReader, verifyJoined } from "./points.ts";
import type { LogRow } from "./schema.ts";
import { verifyCur } from "./verify-row.ts";

/** Keys that a part goes over unless told otherwise. At 1 us a row that is 10 ms. */
const visitsDefault = 10_000;
/** Keys of a part whose answer has to be looked for in the past: each may take 20 us. */
const pastVisitsMax = 200;

/** A key met on the way: either its answer, or where to begin to look for it. */
interface Met {
  readonly key: BinaryKey;
  readonly answer: Version | undefined;
  readonly newer: LogRow | undefined;
}

export class ScanReader {
  readonly #db: SqliteDatabase;
  readonly #file: string;
  readonly #points: PointReader;
  readonly #past: PastReader;
  readonly #statements = new Map<string, SqliteStatement<LogRow>>();

  constructor(db: SqliteDatabase, file: string, points: PointReader, past: PastReader) {
    this.#db = db;
    this.#file = file;
    this.#points = points;
    this.#past = past;
  }

  scan(span: KeySpan, options: ScanOptions): Version[] {
    const rows: Version[] = [];
    let rest: KeySpan | undefined = span;
    while (rest && rows.length < options.limit) {
      const part = this.scanPart(rest, { ...options, limit: options.limit - rows.length });
      if (rows.length === 0 && !part.rest) return part.rows;
      for (const row of part.rows) rows.push(row);
      rest = part.rest;
    }
    return rows;
  }

  scanPart(span: KeySpan, options: ScanPartOptions): ScanPart {
    if (options.limit <= 0) return { rows: [], rest: span };
    const { met, ended } = this.#visit(span, options);
    const { atRevision, bytes = Number.POSITIVE_INFINITY, keysOnly = false } = options;
    const rows: Version[] = [];
    let size = 0;
    let last: BinaryKey | undefined;
    for (const { key, answer, newer } of met) {
      if (size >= bytes && rows.length > 0) return { rows, rest: after(span, last!, options) };
      last = key;
      const found = answer ?? (newer && this.#fromPast(key, newer, atRevision, keysOnly));
      if (!found) continue;
      rows.push(found);
      size += key.length + found.value.length;
    }
    return { rows, rest: ended || last === undefined ? undefined : after(span, last, options) };
  }

  /** Walks over the keys, without going into the past: one statement at a time is open. */
  #visit(span: KeySpan, options: ScanPartOptions): { met: Met[]; ended: boolean } {
    const { atRevision, limit, bytes = Number.POSITIVE_INFINITY, visits = visitsDefault } = options;
    const { keysOnly = false, descending = false } = options;
    const from = fromBinaryKey(span.from);
    const to = span.to === undefined ? undefined : fromBinaryKey(span.to);
    // Damage to a key can lead the search for the beginning astray, and can make the walk end too early.
    const beginning = descending ? to : from;
    if (beginning) this.#points.verifyAround(beginning);
    const statement = this.#statement(to !== undefined, descending, keysOnly);
    const rows = to ? statement.iterate(from, to, visits) : statement.iterate(from, visits);
    const met: Met[] = [];
    let found = 0;
    let past = 0;
    let size = 0;
    let last: Uint8Array | undefined;
    for (const row of rows) {
      if (keysOnly) verifyCur(row, row.key, this.#file);
      else verifyJoined(row, this.#file);
      last = row.key;
      const key = toBinaryKey(row.key);
      const isPast = row.main > atRevision;
      const isLive = !isPast && row.version > 0;
      if (isPast) past++;
      if (isLive || isPast) found++;
      if (isLive) size += key.length + (keysOnly ? 0 : row.value.length);
      const answer = isLive ? versionFrom(row, key, keysOnly ? noBytes : row.value) : undefined;
      met.push({ key, answer, newer: isPast ? row : undefined });
      if (found >= limit || size >= bytes || past >= pastVisitsMax) return { met, ended: false };
    }
    if (met.length >= visits) return { met, ended: false };
    if (last) this.#points.verifyAround(last);
    return { met, ended: true };
  }

  #fromPast(key: BinaryKey, newer: LogRow, at: number, keysOnly: boolean): Version | undefined {
    const row = this.#past.versionBefore(newer.key, newer, at);
    if (!row || row.version === 0) return undefined;
    return versionFrom(row, key, keysOnly ? noBytes : row.value);
  }

  #statement(hasEnd: boolean, descending: boolean, keysOnly: boolean): SqliteStatement<LogRow> {
    const select = keysOnly ? `SELECT ${curColumns} FROM cur c` : joined;
    const end = hasEnd ? " AND c.key < +?" : "";
    const sql = `${select} WHERE c.key >= +?${end} ORDER BY c.key ${descending ? "DESC" : "ASC"} LIMIT +?`;
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare<LogRow>(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** What is left of the span after `key`. */
function after(span: KeySpan, key: BinaryKey, options: ScanOptions): KeySpan {
  return options.descending ? { from: span.from, to: key } : { from: `${key}\0`, to: span.to };
}

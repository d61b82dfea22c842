/** Reads of many keys. */
import { fromBinaryKey, toBinaryKey } from "../../lib/binary-key.ts";
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import type { BinaryKey, KeySpan, ScanOptions, ScanPart, ScanPartOptions, Version } from "../backend.ts";
import { noBytes, versionFrom } from "./heads.ts";
import type { PastReader } from "./past.ts";
import { curColumns, joined, type PointReader, verifyJoined } from "./points.ts";
import type { LogRow } from "./schema.ts";
import { verifyCur } from "./verify-row.ts";

/** Keys that a part goes over unless told otherwise. At 1 us a row that is 5 ms. */
const visitsDefault = 5000;
/** Keys of a part whose answer has to be looked for in the past: each may take 20 us. */
const pastVisitsMax = 200;

/** A key met on the way: either its answer, or where to begin to look for it. */
interface Met {
  readonly key: BinaryKey;
  readonly answer: Version | undefined;
  readonly newer: LogRow | undefined;
}

/** How far a part has come. */
interface Walk {
  readonly met: Met[];
  /** Keys with an answer, or with one to be looked for in the past. */
  found: number;
  past: number;
  /** Bytes of keys and values. */
  size: number;
  last: Uint8Array | undefined;
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
    const { limit, visits = visitsDefault, descending = false } = options;
    const walk: Walk = { met: [], found: 0, past: 0, size: 0, last: undefined };
    let from = fromBinaryKey(span.from);
    let to = span.to === undefined ? undefined : fromBinaryKey(span.to);
    // Damage to a key can lead the search for the beginning astray, and can make the walk end too early.
    const beginning = descending ? to : from;
    if (beginning) this.#points.verifyAround(beginning);
    // Some drivers fetch all that a statement may return: so no more than is likely to be needed.
    for (let rows = limit + 4; ; rows *= 2) {
      const asked = Math.min(rows, visits - walk.met.length);
      const met = this.#walk(from, to, asked, options, walk);
      if (met === undefined || walk.met.length >= visits) return { met: walk.met, ended: false };
      const { last } = walk;
      if (met < asked) {
        if (last) this.#points.verifyAround(last);
        return { met: walk.met, ended: true };
      }
      if (descending) to = last!;
      else from = justAbove(last!);
    }
  }

  /** Returns how many rows there were, or undefined if that is enough for this part. */
  #walk(
    from: Uint8Array,
    to: Uint8Array | undefined,
    rowsMax: number,
    options: ScanPartOptions,
    walk: Walk,
  ): number | undefined {
    const {
      atRevision,
      limit,
      bytes = Number.POSITIVE_INFINITY,
      keysOnly = false,
      descending = false,
    } = options;
    const statement = this.#statement(to !== undefined, descending, keysOnly);
    const rows = to ? statement.iterate(from, to, rowsMax) : statement.iterate(from, rowsMax);
    let visited = 0;
    for (const row of rows) {
      visited++;
      if (keysOnly) verifyCur(row, row.key, this.#file);
      else verifyJoined(row, this.#file);
      walk.last = row.key;
      const key = toBinaryKey(row.key);
      const isPast = row.main > atRevision;
      const isLive = !isPast && row.version > 0;
      if (isPast) walk.past++;
      if (isLive || isPast) walk.found++;
      if (isLive) walk.size += key.length + (keysOnly ? 0 : row.value.length);
      const answer = isLive ? versionFrom(row, key, keysOnly ? noBytes : row.value) : undefined;
      walk.met.push({ key, answer, newer: isPast ? row : undefined });
      if (walk.found >= limit || walk.size >= bytes || walk.past >= pastVisitsMax) return undefined;
    }
    return visited;
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

/** The lowest key above `key`. */
function justAbove(key: Uint8Array): Uint8Array {
  const above = new Uint8Array(key.length + 1);
  above.set(key);
  return above;
}

/** What is left of the span after `key`. */
function after(span: KeySpan, key: BinaryKey, options: ScanOptions): KeySpan {
  return options.descending ? { from: span.from, to: key } : { from: `${key}\0`, to: span.to };
}

/** Reads of many keys. */
import { fromBinaryKey, toBinaryKey } from "../../lib/binary-key.ts";
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import type { BinaryKey, KeySpan, ScanOptions, ScanPart, ScanPartOptions, Version } from "../backend.ts";
import { noBytes, versionFrom } from "./heads.ts";
import type { PastReader } from "./past.ts";
import { curColumns, joinedLiving, type PointReader, verifyJoinedLiving } from "./points.ts";
import type { LogRow } from "./schema.ts";
import { SparseReader, type Stretch } from "./sparse.ts";
import { outOfOrder, verifyCur } from "./verify-row.ts";

/** Keys that a part goes over unless told otherwise. At 1 us a row that is 5 ms. */
const visitsDefault = 5000;
/** Keys of a part whose answer has to be looked for in the past: each may take 20 us. */
const pastVisitsMax = 200;
/** When of the keys gone over so many are dead, and at least half, more are expected: for the first so many of them. */
const deadExpected = 32;
const stretchFirst = 256;

/** A key met on the way that may have an answer: either it, or where to begin to look for it. */
interface Met {
  readonly key: BinaryKey;
  readonly answer: Version | undefined;
  readonly newer: LogRow | undefined;
}

/** How far a part has come. */
interface Walk {
  readonly met: Met[];
  /** Keys gone over, dead ones included. */
  visited: number;
  past: number;
  /** Bytes of keys and values. */
  size: number;
  last: Uint8Array | undefined;
  /** Dead keys, and how many were visited before, since they are looked for; `sparse`: whether they are. */
  dead: number;
  visitedBefore: number;
  sparse: boolean;
}

/** Why a walk ended: no more fits into this part, there are no more keys, there may be, or most of them are dead. */
type WalkEnd = "enough" | "exhausted" | "more" | "sparse";

function newWalk(sparse: boolean): Walk {
  return { met: [], visited: 0, past: 0, size: 0, last: undefined, dead: 0, visitedBefore: 0, sparse };
}

export class ScanReader {
  readonly #db: SqliteDatabase;
  readonly #file: string;
  readonly #points: PointReader;
  readonly #past: PastReader;
  readonly #sparse: SparseReader;
  readonly #statements = new Map<string, SqliteStatement<LogRow>>();

  constructor(db: SqliteDatabase, file: string, points: PointReader, past: PastReader) {
    this.#db = db;
    this.#file = file;
    this.#points = points;
    this.#past = past;
    this.#sparse = new SparseReader(db, past);
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
    const { met, rest } = this.#visit(span, options);
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
    return { rows, rest };
  }

  /** Walks over the keys, without going into the past: one statement at a time is open. */
  #visit(span: KeySpan, options: ScanPartOptions): { met: Met[]; rest: KeySpan | undefined } {
    const { limit, visits = visitsDefault, descending = false } = options;
    const walk = newWalk(!descending);
    const { met } = walk;
    let from = fromBinaryKey(span.from);
    let to = span.to === undefined ? undefined : fromBinaryKey(span.to);
    const rest = () =>
      descending ? { from: span.from, to: toBinaryKey(to!) } : { from: toBinaryKey(from), to: span.to };
    // Damage to a key can lead the search for the beginning astray, and can make the walk end too early.
    const beginning = descending ? to : from;
    if (beginning) this.#points.verifyAround(beginning);
    // Some drivers fetch all that a statement may return: so no more than is likely to be needed.
    for (let rows = limit + 4; ; rows *= 2) {
      const asked = Math.min(rows, visits - walk.visited);
      let end = this.#walk(from, to, asked, options, walk);
      if (end === "exhausted") {
        if (walk.last) this.#points.verifyAround(walk.last);
        return { met, rest: undefined };
      }
      if (descending) to = walk.last!;
      else from = justAbove(walk.last!);
      if (end === "sparse") ({ from, end } = this.#walkSparse(from, to, options, walk));
      if (end === "enough" || walk.visited >= visits) return { met, rest: rest() };
    }
  }

  #walk(
    from: Uint8Array,
    to: Uint8Array | undefined,
    rowsMax: number,
    options: ScanPartOptions,
    walk: Walk,
  ): WalkEnd {
    const { descending = false, keysOnly = false } = options;
    const statement = this.#statement(to !== undefined, descending, keysOnly);
    const rows = to ? statement.iterate(from, to, rowsMax) : statement.iterate(from, rowsMax);
    const before = walk.visited;
    for (const row of rows) {
      walk.visited++;
      if (this.#meet(row, options, walk)) return "enough";
      if (walk.dead >= deadExpected && walk.sparse && 2 * walk.dead >= walk.visited - walk.visitedBefore) {
        return "sparse";
      }
    }
    return walk.visited - before < rowsMax ? "exhausted" : "more";
  }

  /** Goes on from `from` while most keys are dead. Gives where it came to. */
  #walkSparse(
    from: Uint8Array,
    to: Uint8Array | undefined,
    options: ScanPartOptions,
    walk: Walk,
  ): { from: Uint8Array; end: WalkEnd } {
    const { visits = visitsDefault } = options;
    let next = from;
    for (let entriesMax = stretchFirst; ; entriesMax *= 4) {
      const left = visits - walk.visited;
      const stretch = left > 0 ? this.#sparse.stretch(next, to, Math.min(entriesMax, left)) : undefined;
      if (stretch === undefined) break;
      const { met, size, past, last } = walk;
      const count = met.length;
      const { living, reached } = this.#meetStretch(stretch, options, walk);
      const gone = reached && this.#sparse.entriesOf(reached, living);
      if (gone === undefined) {
        // Something is damaged there, or was written just now.
        met.length = count;
        Object.assign(walk, { size, past, last, sparse: false });
        break;
      }
      walk.visited += gone;
      next = reached!.end;
      if (reached !== stretch) return { from: next, end: "enough" };
      if (2 * living > gone) break;
    }
    walk.dead = 0;
    walk.visitedBefore = walk.visited;
    // If nothing is found from here on, what is beside this place is verified.
    walk.last = next;
    return { from: next, end: "more" };
  }

  /**
   * Meets those keys of a stretch that are not dead. `reached` is the part of it that was gone over, which is all of it
   * unless no more fits into this part of the scan; undefined if that is not known.
   */
  #meetStretch(
    stretch: Stretch,
    options: ScanPartOptions,
    walk: Walk,
  ): { living: number; reached: Stretch | undefined } {
    const { atRevision, limit, keysOnly = false } = options;
    const rowsMax = limit - walk.met.length;
    let rows = 0;
    let living = 0;
    for (const row of this.#sparse.rows(stretch, atRevision, keysOnly, rowsMax)) {
      rows++;
      if (row.version !== 0) living++;
      if (!this.#meet(row, options, walk)) continue;
      return { living, reached: { from: stretch.from, end: justAbove(row.key), entries: undefined } };
    }
    return { living, reached: rows < rowsMax ? stretch : undefined };
  }

  /** Takes note of a key. True when no more fits into this part. */
  #meet(row: LogRow, options: ScanPartOptions, walk: Walk): boolean {
    const { atRevision, limit, bytes, keysOnly = false } = options;
    if (keysOnly) verifyCur(row, row.key, this.#file);
    else verifyJoinedLiving(row, this.#file);
    walk.last = row.key;
    if (row.main > atRevision) {
      walk.past++;
      walk.met.push({ key: this.#inOrder(row.key, options, walk), answer: undefined, newer: row });
    } else if (row.version > 0) {
      const value = keysOnly ? noBytes : row.value;
      const key = this.#inOrder(row.key, options, walk);
      walk.size += key.length + value.length;
      walk.met.push({ key, answer: versionFrom(row, key, value), newer: undefined });
    } else {
      walk.dead++;
      return false;
    }
    return (
      walk.met.length >= limit ||
      walk.past >= pastVisitsMax ||
      walk.size >= (bytes ?? Number.POSITIVE_INFINITY)
    );
  }

  /** The key as text. A page with a wrong number of rows, or in a wrong place, shows by keys that come twice. */
  #inOrder(bytes: Uint8Array, { descending = false }: ScanPartOptions, { met }: Walk): BinaryKey {
    const key = toBinaryKey(bytes);
    const before = met.length > 0 ? met[met.length - 1]!.key : undefined;
    if (before === undefined || (descending ? key < before : key > before)) return key;
    throw outOfOrder(this.#file, "cur", bytes);
  }

  #fromPast(key: BinaryKey, newer: LogRow, at: number, keysOnly: boolean): Version | undefined {
    const row = this.#past.versionBefore(newer.key, newer, at);
    if (!row || row.version === 0) return undefined;
    return versionFrom(row, key, keysOnly ? noBytes : row.value);
  }

  #statement(hasEnd: boolean, descending: boolean, keysOnly: boolean): SqliteStatement<LogRow> {
    const select = keysOnly ? `SELECT ${curColumns} FROM cur c` : joinedLiving;
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

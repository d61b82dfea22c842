/**
 * Counting live keys. When nothing newer than the revision asked for is in the file, SQLite only has to step over
 * entries without looking into them: 50,000 keys in about a millisecond. Else it has to look at each.
 */
import { fromBinaryKey, toBinaryKey } from "../../lib/binary-key.ts";
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import type { BinaryKey, KeySpan } from "../backend.ts";
import type { Horizon } from "./horizon.ts";
import type { PastReader } from "./past.ts";
import { curColumns } from "./points.ts";
import type { CurRow } from "./schema.ts";
import { verifyCur } from "./verify-row.ts";

/** Keys of one call whose answer lies in the past: each may take 20 us. */
const pastVisitsMax = 200;

export interface Counted {
  count: number;
  next: BinaryKey | undefined;
}

/** The statements for spans with an end, or without: an end that may be missing would keep SQLite from using it. */
interface SpanStatements {
  readonly full: SqliteStatement<{ boundary: Uint8Array | null; dead: number; revision: number }>;
  readonly tail: SqliteStatement<{ all_keys: number; dead: number; revision: number }>;
  readonly boundary: SqliteStatement<{ key: Uint8Array }>;
  readonly old: SqliteStatement<{ live: number }>;
  readonly newer: SqliteStatement<CurRow>;
}

export class CountReader {
  readonly #file: string;
  readonly #horizon: Horizon;
  readonly #past: PastReader;
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  readonly #bounded: SpanStatements;
  readonly #unbounded: SpanStatements;

  constructor(db: SqliteDatabase, file: string, horizon: Horizon, past: PastReader) {
    this.#file = file;
    this.#horizon = horizon;
    this.#past = past;
    this.#begin = db.prepare("BEGIN");
    this.#commit = db.prepare("COMMIT");
    this.#bounded = prepare(db, "key >= +? AND key < +?");
    this.#unbounded = prepare(db, "key >= +?");
  }

  count(span: KeySpan, at: number, limit: number): Counted {
    const newest = at >= this.#horizon.writtenRevision ? this.#countNewest(span, at, limit) : undefined;
    return newest ?? this.#countPast(span, at, limit);
  }

  /** Undefined if the file has a generation newer than `at`: one that is being written may be there already. */
  #countNewest(span: KeySpan, at: number, limit: number): Counted | undefined {
    const ends = endsOf(span);
    const statements = this.#statements(ends);
    const full = statements.full.get(...ends, limit, ends[0])!;
    if (full.revision > at) return undefined;
    if (full.boundary) return { count: limit - full.dead, next: toBinaryKey(full.boundary) };
    const tail = statements.tail.get(...ends, ...ends)!;
    return tail.revision > at ? undefined : { count: tail.all_keys - tail.dead, next: undefined };
  }

  #countPast(span: KeySpan, at: number, limit: number): Counted {
    // Several statements have to see one state.
    this.#begin.run();
    try {
      return this.#countPastIn(span, at, limit);
    } finally {
      this.#commit.run();
    }
  }

  #countPastIn(span: KeySpan, at: number, limit: number): Counted {
    let ends = endsOf(span);
    let next: BinaryKey | undefined;
    const cutAt = (key: Uint8Array) => {
      ends = [ends[0], key];
      next = toBinaryKey(key);
    };
    const boundary = this.#statements(ends).boundary.get(...ends, limit);
    if (boundary) cutAt(boundary.key);
    const newer = this.#statements(ends).newer.all(...ends, at);
    const tooMany = newer[pastVisitsMax];
    if (tooMany) {
      newer.pop();
      cutAt(tooMany.key);
    }
    let count = this.#statements(ends).old.get(...ends, at)!.live;
    for (const row of newer) {
      verifyCur(row, row.key, this.#file);
      const version = this.#past.versionBefore(row.key, row, at);
      if (version && version.version > 0) count++;
    }
    return { count, next };
  }

  #statements(ends: Ends): SpanStatements {
    return ends.length === 1 ? this.#unbounded : this.#bounded;
  }
}

/** The parameters for a span: its beginning, and its end if it has one. */
type Ends = readonly [Uint8Array] | readonly [Uint8Array, Uint8Array];

function endsOf({ from, to }: KeySpan): Ends {
  const beginning = fromBinaryKey(from);
  return to === undefined ? [beginning] : [beginning, fromBinaryKey(to)];
}

function prepare(db: SqliteDatabase, span: string): SpanStatements {
  const boundary = `SELECT key FROM cur WHERE ${span} ORDER BY key LIMIT 1 OFFSET +?`;
  const dead = "SELECT count(*) FROM cur INDEXED BY cur_tombstone WHERE version = 0 AND";
  const revision = "(SELECT revision FROM state WHERE id = 0) AS revision";
  return {
    // Each is one statement, so that it sees one state. The boundary is all the end that the tombstones may have: with
    // two ends SQLite searches by the first and compares with the second, and goes over what is beyond the boundary too.
    full: db.prepare(`WITH b(key) AS MATERIALIZED (${boundary})
      SELECT (SELECT key FROM b) AS boundary, (${dead} key >= +? AND key < (SELECT key FROM b)) AS dead, ${revision}`),
    tail: db.prepare(
      `SELECT (SELECT count(*) FROM cur WHERE ${span}) AS all_keys, (${dead} ${span}) AS dead, ${revision}`,
    ),
    boundary: db.prepare(boundary),
    old: db.prepare(`SELECT count(*) AS live FROM cur WHERE ${span} AND version > 0 AND main <= +?`),
    newer: db.prepare(`SELECT ${curColumns} FROM cur WHERE ${span} AND main > +?
      ORDER BY key LIMIT ${pastVisitsMax + 1}`),
  };
}

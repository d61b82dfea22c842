/**
 * Reading where most keys are dead: deleted, and not compacted yet. To fetch and verify the row of each of them would
 * cost more than all the rest, so SQLite leaves them out itself, ten times as quickly.
 *
 * What is left out is not verified by its checksum; that it has no part in the answer is said twice, by columns and by
 * structures that do not share a byte. That a key is dead: by `version` and by `create_rev`, and by the entries of
 * `cur_tombstone`, of which there have to be as many. That it was so at the revision asked for: by `main` and by `seq`,
 * which grow together. So an entry of which one of them is damaged is not left out, or the numbers do not agree; then
 * the caller goes from row to row as ever, and meets the one that fails its checksum.
 */
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import { lastSub, type PastReader } from "./past.ts";
import { curColumns, joinedLiving } from "./points.ts";
import type { LogRow } from "./schema.ts";

/** Columns of a wrong type, which damage can make, give NULL: hence IS NOT TRUE. */
const notDead = "(c.version = 0 AND c.create_rev = 0 AND c.main <= +? AND c.seq <= +?) IS NOT TRUE";

export interface Stretch {
  readonly from: Uint8Array;
  /** A key of the table: the stretch ends before it. */
  readonly end: Uint8Array;
  /** How many entries the stretch has; undefined if that was not looked at. */
  readonly entries: number | undefined;
}

export class SparseReader {
  readonly #past: PastReader;
  readonly #bounded: SqliteStatement<Bounds>;
  readonly #unbounded: SqliteStatement<Bounds>;
  readonly #rows: SqliteStatement<LogRow>;
  readonly #heads: SqliteStatement<LogRow>;
  readonly #entries: SqliteStatement<{ n: number }>;
  readonly #tombstones: SqliteStatement<{ n: number }>;

  constructor(db: SqliteDatabase, past: PastReader) {
    this.#past = past;
    this.#bounded = db.prepare(boundsSql("key >= +? AND key < +?"));
    this.#unbounded = db.prepare(boundsSql("key >= +?"));
    const end = `WHERE c.key >= +? AND c.key < +? AND ${notDead} ORDER BY c.key LIMIT +?`;
    this.#rows = db.prepare(`${joinedLiving} ${end}`);
    this.#heads = db.prepare(`SELECT ${curColumns} FROM cur c ${end}`);
    this.#entries = db.prepare("SELECT count(*) AS n FROM cur WHERE key >= +? AND key < +?");
    this.#tombstones = db.prepare(
      "SELECT count(*) AS n FROM cur INDEXED BY cur_tombstone WHERE version = 0 AND key >= +? AND key < +?",
    );
  }

  /**
   * The next entries from `from` on, at most `entriesMax`, before `to`. The last one of the span is never among them:
   * whoever ends a walk there has to look at it. Undefined if there are none but that.
   */
  stretch(from: Uint8Array, to: Uint8Array | undefined, entriesMax: number): Stretch | undefined {
    const bounds =
      to === undefined
        ? this.#unbounded.get(from, entriesMax, from)
        : this.#bounded.get(from, to, entriesMax, from, to);
    if (bounds?.ahead instanceof Uint8Array) return { from, end: bounds.ahead, entries: entriesMax };
    if (!(bounds?.last instanceof Uint8Array) || Buffer.compare(bounds.last, from) <= 0) return undefined;
    return { from, end: bounds.last, entries: undefined };
  }

  /** The first `limit` entries of a stretch that are no tombstones at revision `at`. The caller verifies them. */
  rows({ from, end }: Stretch, at: number, keysOnly: boolean, limit: number): Iterable<LogRow> {
    const place = this.#past.placeOf(at, lastSub);
    return (keysOnly ? this.#heads : this.#rows).iterate(from, end, at, place, limit);
  }

  /**
   * How many entries a stretch has, or undefined if not as many were left out as there are tombstones: all were but
   * those that `rows` gave, of which `living` are no tombstones.
   */
  entriesOf({ from, end, entries }: Stretch, living: number): number | undefined {
    const all = entries ?? this.#entries.get(from, end)!.n;
    return all - living === this.#tombstones.get(from, end)!.n ? all : undefined;
  }
}

interface Bounds {
  /** The entry behind as many as are asked for. */
  readonly ahead: Uint8Array | null;
  readonly last: Uint8Array | null;
}

function boundsSql(span: string): string {
  return `WITH ahead(key) AS MATERIALIZED (SELECT key FROM cur WHERE ${span} ORDER BY key LIMIT 1 OFFSET +?)
    SELECT (SELECT key FROM ahead) AS ahead, iif((SELECT key FROM ahead) IS NULL,
      (SELECT key FROM cur WHERE ${span} ORDER BY key DESC LIMIT 1), NULL) AS last`;
}

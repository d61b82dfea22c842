/**
 * The physical part of compaction, a slice at a time.
 *
 * Every version n at or before the compact revision has superseded the one before it: `prev` is deleted. If n is a
 * tombstone from before that revision it goes too, and with it the key's row in `cur` unless the key lives again. So one
 * walk over the log from where the last compaction ended does it all, and what no compaction will ever remove is never
 * looked at twice, but for the versions of the compact revision itself: the next compaction begins with them.
 *
 * No read at or above the compact revision needs a row that is deleted here, so reads may go on at every moment.
 */
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import { isMilestone, type LogHeadRow } from "./schema.ts";
import type { State } from "./state.ts";
import { verifyLogHead } from "./verify-row.ts";

/** Rows looked at between two looks at the clock. */
const rowsPerBatch = 200;

/** One slice of a compaction. */
export interface CompactRequest {
  readonly revision: number;
  readonly budgetMs: number;
  /** Versions to look at, at most. */
  readonly rowsMax: number;
}

export interface CompactionSlice {
  readonly state: State;
  readonly removed: number;
  /** Versions looked at. */
  readonly looked: number;
  readonly done: boolean;
}

export class Compactor {
  readonly #file: string;
  /** How far the versions of the compact revision itself have been looked at. */
  #atRevision = { revision: 0, seq: 0 };
  readonly #next: SqliteStatement<LogHeadRow>;
  readonly #deleteLog: SqliteStatement;
  readonly #deleteCur: SqliteStatement;
  readonly #deleteMilestone: SqliteStatement;

  constructor(db: SqliteDatabase, file: string) {
    this.#file = file;
    this.#next = db.prepare(`SELECT seq, main, sub, create_rev, version, lease, prev, chain, head_check, key
      FROM log WHERE seq > +? ORDER BY seq LIMIT +?`);
    this.#deleteLog = db.prepare("DELETE FROM log WHERE seq = +?");
    this.#deleteCur = db.prepare("DELETE FROM cur WHERE key = +? AND seq = +?");
    this.#deleteMilestone = db.prepare("DELETE FROM milestone WHERE key = +? AND seq = +?");
  }

  /**
   * Works for about `budgetMs`, or until it has looked at `rowsMax` versions, inside a transaction that the caller has
   * begun. The caller writes the state.
   */
  slice(state: State, { revision, budgetMs, rowsMax }: CompactRequest): CompactionSlice {
    const start = performance.now();
    let { compact_seq } = state;
    let at =
      this.#atRevision.revision === revision ? Math.max(this.#atRevision.seq, compact_seq) : compact_seq;
    let removed = 0;
    let looked = 0;
    let done = revision <= state.compacted_revision;
    while (!done && looked < rowsMax && performance.now() - start < budgetMs) {
      const limit = Math.min(rowsPerBatch, rowsMax - looked);
      const rows = this.#nextRows(at, revision, limit);
      removed += this.#remove(rows, revision);
      looked += rows.length;
      at = rows.at(-1)?.seq ?? at;
      compact_seq = rows.findLast(({ main }) => main < revision)?.seq ?? compact_seq;
      done = rows.length < limit;
    }
    this.#atRevision = { revision, seq: at };
    const compacted_revision = done ? Math.max(revision, state.compacted_revision) : state.compacted_revision;
    return { state: { ...state, compact_seq, compacted_revision }, removed, looked, done };
  }

  /** `main` grows with `seq`, which SQLite does not know: ending at the first row that is too new is up to us. */
  #nextRows(after: number, revision: number, limit: number): LogHeadRow[] {
    const rows: LogHeadRow[] = [];
    for (const row of this.#next.iterate(after, limit)) {
      if (row.main > revision) break;
      rows.push(row);
    }
    return rows;
  }

  #remove(rows: readonly LogHeadRow[], revision: number): number {
    const seqs: number[] = [];
    const tombstones: LogHeadRow[] = [];
    const milestones: { key: Uint8Array; seq: number }[] = [];
    for (const row of rows) {
      verifyLogHead(row, this.#file);
      if (row.chain > 0) seqs.push(row.prev);
      if (isMilestone(row.chain - 1)) milestones.push({ key: row.key, seq: row.prev });
      if (row.version !== 0 || row.main === revision) continue;
      seqs.push(row.seq);
      tombstones.push(row);
      if (isMilestone(row.chain)) milestones.push({ key: row.key, seq: row.seq });
    }
    // In the order of the tables, so that neighbours share pages.
    seqs.sort((a, b) => a - b);
    tombstones.sort((a, b) => Buffer.compare(a.key, b.key));
    milestones.sort((a, b) => Buffer.compare(a.key, b.key) || a.seq - b.seq);
    let removed = 0;
    for (const seq of seqs) removed += Number(this.#deleteLog.run(seq).changes);
    for (const { key, seq } of tombstones) this.#deleteCur.run(key, seq);
    for (const { key, seq } of milestones) this.#deleteMilestone.run(key, seq);
    return removed;
  }
}

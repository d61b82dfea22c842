/**
 * Finding what was before the newest version: from a revision to a place in the log, and from a key's newest version
 * back to the one of that time.
 *
 * The log is in the order of (main, sub), so a revision's place is found by searching over seq. From a version, `prev`
 * leads to the one before. A key with many versions has milestones: the first milestone after the place sought is less
 * than `milestoneEvery` links away from it.
 */
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import { BackendCorruptError } from "../errors.ts";
import type { Horizon } from "./horizon.ts";
import { type LogHeadRow, type LogRow, milestoneEvery } from "./schema.ts";
import { keyName, verifyLogHead, verifyLogRow } from "./verify-row.ts";

const headColumns = "seq, main, sub, create_rev, version, lease, prev, chain, head_check, key";

/** Above every sub-revision. */
export const lastSub = Number.POSITIVE_INFINITY;

export class PastReader {
  readonly #file: string;
  readonly #horizon: Horizon;
  readonly #floor: SqliteStatement<LogHeadRow>;
  readonly #head: SqliteStatement<LogHeadRow>;
  readonly #row: SqliteStatement<LogRow>;
  readonly #milestone: SqliteStatement<{ seq: number }>;
  /** The last answer of placeOf that stays right. */
  #memo = { main: 0, sub: lastSub, seq: 0 };

  constructor(db: SqliteDatabase, file: string, horizon: Horizon) {
    this.#file = file;
    this.#horizon = horizon;
    this.#floor = db.prepare(`SELECT ${headColumns} FROM log WHERE seq <= +? ORDER BY seq DESC LIMIT 1`);
    this.#head = db.prepare(`SELECT ${headColumns} FROM log WHERE seq = +?`);
    this.#row = db.prepare(`SELECT ${headColumns}, value_check, value FROM log WHERE seq = +?`);
    this.#milestone = db.prepare(
      "SELECT seq FROM milestone WHERE key = +? AND seq > +? ORDER BY seq LIMIT 1",
    );
  }

  /** A seq such that the rows at or below it are those at or before (main, sub). */
  placeOf(main: number, sub: number): number {
    const memo = this.#memo;
    if (memo.main === main && memo.sub === sub) return memo.seq;
    const seq = main < 1 ? 0 : this.#search(main, sub);
    // A revision that is still being written may get more rows.
    if (main <= this.#horizon.writtenRevision) this.#memo = { main, sub, seq };
    return seq;
  }

  #search(main: number, sub: number): number {
    let above = this.#beyond(main, sub);
    if (above === undefined) return this.#floorOf(Number.MAX_SAFE_INTEGER)?.seq ?? 0;
    // Rows at or below `low` are not after (main, sub); `above` is.
    let low = 0;
    let lowest: LogHeadRow | undefined;
    for (let step = 0; above.seq - low > 1; step++) {
      const at = guess(step, low, above, main);
      const row = this.#floorOf(at);
      if (row !== undefined && isAfter(row, main, sub)) {
        above = row;
      } else {
        low = at;
        lowest = row;
      }
    }
    // Damage to the log's inner pages leads searches astray. What is newer than the compact revision has no holes: the
    // row at the place has to be there, just below one that is after it.
    if (main > this.#horizon.compactRevision && low > 0 && lowest?.seq !== low) {
      throw this.#corrupt(`row ${low} of log`, "a version is missing");
    }
    return low;
  }

  /** A place in the log that is after (main, sub), or undefined if there is none. */
  #beyond(main: number, sub: number): { seq: number; main: number } | undefined {
    const { writtenRevision, writtenSeq } = this.#horizon;
    if (main <= writtenRevision) return { seq: writtenSeq + 1, main: writtenRevision + 1 };
    const newest = this.#floorOf(Number.MAX_SAFE_INTEGER);
    return newest !== undefined && isAfter(newest, main, sub) ? newest : undefined;
  }

  #floorOf(seq: number): LogHeadRow | undefined {
    const row = this.#floor.get(seq);
    if (!row) return undefined;
    verifyLogHead(row, this.#file);
    return row;
  }

  /**
   * The version of `key` that was the newest right after revision `at`, given a newer one: its place in the log and
   * its `chain`.
   */
  versionBefore(key: Uint8Array, newer: { seq: number; chain: number }, at: number): LogRow | undefined {
    if (newer.chain === 0) return undefined;
    const place = this.placeOf(at, lastSub);
    let { seq } = newer;
    if (newer.chain >= milestoneEvery) seq = this.#milestone.get(key, place)?.seq ?? seq;
    // Whatever led to these two rows: that one is at or before `at`, and that the other is after it and follows the
    // first, proves the answer.
    let follower: LogHeadRow;
    do {
      const row = this.#head.get(seq);
      if (!row) return this.#missing(seq, key, at);
      verifyLogHead(row, this.#file);
      this.#verifyKey(row, key);
      if (row.main <= at) throw this.#corrupt(`row ${seq} of log`, `not where revision ${at} was looked for`);
      if (row.chain === 0) return undefined;
      if (row.prev >= row.seq) throw this.#corrupt(`row ${seq} of log`, "a link to the past leads ahead");
      follower = row;
      seq = row.prev;
    } while (seq > place);
    const row = this.#row.get(seq);
    if (!row) {
      // What came before a key's first version was a tombstone, there or not. It is what compaction removes.
      return follower.version === 1 ? undefined : this.#missing(seq, key, at);
    }
    verifyLogRow(row, this.#file);
    this.#verifyKey(row, key);
    if (row.main > at) throw this.#corrupt(`row ${seq} of log`, `not where revision ${at} was looked for`);
    return row;
  }

  /** Versions that were the newest at a revision that is not compacted are never removed. */
  #missing(seq: number, key: Uint8Array, at: number): undefined {
    if (at < this.#horizon.compactRevision) return undefined;
    throw this.#corrupt(`row ${seq} of log`, `a version of key ${keyName(key)} is missing`);
  }

  #verifyKey(row: LogHeadRow, key: Uint8Array): void {
    if (Buffer.compare(row.key, key) === 0) return;
    throw this.#corrupt(`row ${row.seq} of log`, `a link of key ${keyName(key)} leads to another key`);
  }

  #corrupt(place: string, what: string): BackendCorruptError {
    return new BackendCorruptError(this.#file, place, what);
  }
}

/**
 * Where to look next between `low` and `above`. Every revision has a row or more; when most have one, going back as
 * many rows as revisions hits the place, and the row behind it shows that. Halving is for when that does not help.
 */
function guess(step: number, low: number, above: { seq: number; main: number }, main: number): number {
  const kinds = [above.seq - (above.main - main), low + 1, Math.floor((low + above.seq) / 2)];
  return Math.min(Math.max(kinds[step % 3]!, low + 1), above.seq - 1);
}

function isAfter(row: { main: number; sub: number }, main: number, sub: number): boolean {
  return row.main > main || (row.main === main && row.sub > sub);
}

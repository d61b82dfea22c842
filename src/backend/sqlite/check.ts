/**
 * Looks a whole store over: SQLite's own structure, every checksum, and that log, cur, milestones and state tell the
 * same story. For a store that is not open elsewhere, and for tests. Reads everything; changes nothing.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { toBinaryKey } from "../../lib/binary-key.ts";
import {
  type SqliteDatabase,
  type SqliteDriverName,
  type SqliteStatement,
  sqliteDriver,
} from "../../runtime/sqlite.ts";
import type { BinaryKey } from "../backend.ts";
import { curRow, headCheck, leasedCheck, metaCheck, valueCheck } from "./checks.ts";
import { openReader, verify } from "./connection.ts";
import { toBackendError } from "./failures.ts";
import { headerProblems } from "./header.ts";
import {
  type CurRow,
  fileName,
  isMilestone,
  type LeasedRow,
  type LogHeadRow,
  type LogRow,
  type MetaRow,
} from "./schema.ts";
import { readState, type State } from "./state.ts";
import { keyName } from "./verify-row.ts";

export interface StoreReport {
  /** What is wrong, in words; empty if all is well. At most 100. */
  readonly problems: readonly string[];
  readonly versions: number;
  readonly keys: number;
  /** Undefined if it could not be read. */
  readonly state: State | undefined;
  /** The rows of each bucket: whether they make sense is for the modules to say whose they are. */
  readonly meta: ReadonlyMap<string, Map<BinaryKey, Uint8Array>>;
}

const problemsMax = 100;
const cacheBytes = 16 * 1024 * 1024;

/** Thrown to end a check that has found enough. */
class Enough extends Error {}

/** Called now and then: what is looked at, how much of it is done, and of how much (0 for unknown). */
export type OnCheckProgress = (what: string, done: number, total: number) => void;

const rowsPerReport = 4096;

export async function checkStore(
  dir: string,
  driver?: SqliteDriverName,
  onProgress: OnCheckProgress = () => {},
): Promise<StoreReport> {
  const file = join(dir, fileName);
  if (!existsSync(file))
    return { problems: [`${file} is missing`], versions: 0, keys: 0, state: undefined, meta: new Map() };
  const problems: string[] = [];
  let check: StoreCheck | undefined;
  try {
    problems.push(...headerProblems(file));
    const db = openReader(await sqliteDriver(driver), file, cacheBytes);
    try {
      check = new StoreCheck(db, file, problems, onProgress);
      check.run();
    } finally {
      db.close();
    }
  } catch (error) {
    if (!(error instanceof Enough)) problems.push(toBackendError(error, file).message);
  }
  const { versions = 0, keys = 0, state, meta = new Map() } = check ?? {};
  return { problems, versions, keys, state, meta };
}

class StoreCheck {
  readonly #db: SqliteDatabase;
  readonly #file: string;
  readonly #problems: string[];
  readonly #onProgress: OnCheckProgress;
  readonly #logHead: SqliteStatement<LogHeadRow>;
  readonly #milestone: SqliteStatement<{ seq: number }>;
  state: State | undefined;
  readonly meta = new Map<string, Map<BinaryKey, Uint8Array>>();
  versions = 0;
  keys = 0;
  /** Rows of the log that another row names as the one before it. */
  #linked = 0;
  #milestones = 0;
  /** Keys attached to a lease. */
  #leased = 0;

  constructor(db: SqliteDatabase, file: string, problems: string[], onProgress: OnCheckProgress) {
    this.#db = db;
    this.#file = file;
    this.#problems = problems;
    this.#onProgress = onProgress;
    verify(db, file);
    this.#logHead =
      db.prepare(`SELECT seq, main, sub, create_rev, version, lease, prev, chain, head_check, key
      FROM log WHERE seq = +?`);
    this.#milestone = db.prepare("SELECT seq FROM milestone WHERE key = +? AND seq = +?");
  }

  run(): void {
    this.#onProgress("structure", 0, 0);
    this.#checkStructure();
    const state = readState(this.#db, this.#file);
    this.state = state;
    this.#checkState(state);
    this.#checkLog(state);
    this.#checkCur(state);
    this.#checkMilestones();
    this.#checkLeased();
    this.#checkMeta();
    if (this.versions !== this.keys + this.#linked) {
      const extra = this.versions - this.keys - this.#linked;
      this.#wrong(`log: ${Math.abs(extra)} rows ${extra > 0 ? "belong to no key" : "are linked twice"}`);
    }
  }

  #wrong(problem: string): void {
    this.#problems.push(problem);
    if (this.#problems.length >= problemsMax) throw new Enough();
  }

  /** Also compares the index with its table. */
  #checkStructure(): void {
    const rows = this.#db
      .prepare<{ integrity_check: string }>(`PRAGMA integrity_check(${problemsMax})`)
      .all();
    for (const row of rows) if (row.integrity_check !== "ok") this.#wrong(`sqlite: ${row.integrity_check}`);
  }

  #checkState(state: State): void {
    const { revision, compact_revision, compacted_revision, compact_seq, next_seq } = state;
    if (compact_revision > revision) this.#wrong("state: the compact revision is beyond the revision");
    if (compacted_revision > compact_revision) this.#wrong("state: more is compacted than was asked for");
    if (compact_seq >= next_seq) this.#wrong("state: compaction is beyond the log");
  }

  #checkLog(state: State): void {
    let before: LogRow | undefined;
    // The first row of the log that compaction may not have touched.
    const firstKept = this.#db
      .prepare<{ seq: number }>("SELECT seq FROM log WHERE main > +? ORDER BY seq LIMIT 1")
      .get(state.compact_revision)?.seq;
    for (const row of this.#db.prepare<LogRow>("SELECT * FROM log ORDER BY seq").iterate()) {
      if (++this.versions % rowsPerReport === 0) this.#onProgress("versions", row.seq, state.next_seq);
      this.#checkLogRow(row, state, before);
      this.#checkLink(row, state, firstKept ?? state.next_seq);
      before = row;
    }
    const newest = before?.main ?? 1;
    if (newest > state.compact_revision && (before?.seq ?? 0) + 1 !== state.next_seq) {
      this.#wrong(`log: ends at row ${before?.seq}, but row ${state.next_seq} is next`);
    }
  }

  #checkLogRow(row: LogRow, state: State, before: LogRow | undefined): void {
    const name = `log row ${row.seq}`;
    if (headCheck(row, row.prev, row.key) !== row.head_check)
      this.#wrong(`${name}: the head fails its checksum`);
    if (valueCheck(row.value, row.head_check) !== row.value_check) {
      this.#wrong(`${name}: the value fails its checksum`);
    }
    if (row.main > state.revision) this.#wrong(`${name}: revision ${row.main} is beyond ${state.revision}`);
    if (row.seq >= state.next_seq) this.#wrong(`${name}: beyond the next row ${state.next_seq}`);
    if (row.create_rev > row.main) this.#wrong(`${name}: created after it was written`);
    if (row.version === 0 && (row.create_rev !== 0 || row.lease !== null || row.value.length > 0)) {
      this.#wrong(`${name}: a tombstone with fields of a live version`);
    }
    if (!before) return;
    if (row.main < before.main || (row.main === before.main && row.sub <= before.sub)) {
      this.#wrong(`${name}: revision ${row.main}.${row.sub} after ${before.main}.${before.sub}`);
    }
    if (before.main > state.compact_revision && row.seq !== before.seq + 1) {
      this.#wrong(`log: rows ${before.seq + 1} to ${row.seq - 1} are missing`);
    }
  }

  /** `prev` and `chain` of a row, its milestone, and what compaction should have removed. */
  #checkLink(row: LogRow, state: State, firstKept: number): void {
    const name = `log row ${row.seq}`;
    if ((row.chain === 0) !== (row.prev === 0) || row.prev >= row.seq) this.#wrong(`${name}: a wrong link`);
    if (isMilestone(row.chain)) {
      this.#milestones++;
      if (!this.#milestone.get(row.key, row.seq)) this.#wrong(`${name}: its milestone is missing`);
    }
    const wasVisited = row.seq <= state.compact_seq;
    if (wasVisited && row.version === 0) this.#wrong(`${name}: a tombstone that compaction left behind`);
    if (row.prev === 0) return;
    const previous = this.#logHead.get(row.prev);
    if (!previous) {
      if (row.prev >= firstKept) this.#wrong(`${name}: the version before it, row ${row.prev}, is missing`);
      return;
    }
    this.#linked++;
    if (wasVisited) this.#wrong(`log row ${row.prev}: a superseded version that compaction left behind`);
    if (Buffer.compare(previous.key, row.key) !== 0) this.#wrong(`${name}: linked to another key's version`);
    if (previous.chain !== row.chain - 1) this.#wrong(`${name}: its place in the chain does not follow`);
  }

  #checkCur(state: State): void {
    for (const row of this.#db.prepare<CurRow>("SELECT * FROM cur ORDER BY key").iterate()) {
      // What has no versions is no key: there are at most so many.
      if (++this.keys % rowsPerReport === 0) this.#onProgress("keys", this.keys, this.versions);
      const name = `cur ${keyName(row.key)}`;
      if (headCheck(row, curRow, row.key) !== row.head_check) this.#wrong(`${name}: fails its checksum`);
      if (row.lease !== null) this.#leased++;
      if (row.seq >= state.next_seq) this.#wrong(`${name}: points beyond the log`);
      const version = this.#logHead.get(row.seq);
      if (!version) this.#wrong(`${name}: points to log row ${row.seq}, which is missing`);
      else if (!sameHead(row, version)) this.#wrong(`${name}: differs from log row ${row.seq}`);
    }
  }

  #checkMilestones(): void {
    const stored = this.#db.prepare<{ n: number }>("SELECT count(*) AS n FROM milestone").get()!.n;
    if (stored !== this.#milestones) this.#wrong(`milestone: ${stored} rows, ${this.#milestones} expected`);
  }

  #checkLeased(): void {
    const find = this.#db.prepare<{ lease: Uint8Array | null }>("SELECT lease FROM cur WHERE key = +?");
    let stored = 0;
    for (const row of this.#db.prepare<LeasedRow>("SELECT * FROM leased").iterate()) {
      stored++;
      const name = `leased ${keyName(row.key)}`;
      if (leasedCheck(row.lease, row.key) !== row.row_check) this.#wrong(`${name}: fails its checksum`);
      const lease = find.get(row.key)?.lease;
      if (!lease || Buffer.compare(lease, row.lease) !== 0) this.#wrong(`${name}: not the lease of the key`);
    }
    if (stored !== this.#leased) this.#wrong(`leased: ${stored} rows, ${this.#leased} expected`);
  }

  #checkMeta(): void {
    for (const row of this.#db.prepare<MetaRow & { bucket: string }>("SELECT * FROM meta").iterate()) {
      if (metaCheck(row.bucket, row.key, row.value) !== row.row_check) {
        this.#wrong(`meta ${row.bucket} ${keyName(row.key)}: fails its checksum`);
        continue;
      }
      const bucket = this.meta.get(row.bucket) ?? new Map<BinaryKey, Uint8Array>();
      this.meta.set(row.bucket, bucket.set(toBinaryKey(row.key), row.value));
    }
  }
}

function sameHead(a: CurRow, b: LogHeadRow): boolean {
  const sameLease =
    a.lease === null ? b.lease === null : b.lease !== null && Buffer.compare(a.lease, b.lease) === 0;
  const sameNumbers =
    a.main === b.main && a.sub === b.sub && a.create_rev === b.create_rev && a.version === b.version;
  return sameLease && sameNumbers && a.chain === b.chain && Buffer.compare(a.key, b.key) === 0;
}

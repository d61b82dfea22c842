/**
 * Writes one generation inside a transaction that the caller has begun.
 *
 * Rows enter the log in their order, at its end. `cur` is touched once for each key, however often the generation
 * writes it, and in key order: neighbours share pages, and that is what makes scattered writes cheap.
 */
import { assert } from "../../lib/assert.ts";
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import { BackendCorruptError } from "../errors.ts";
import { curRow, headCheck, leasedCheck, metaCheck, valueCheck } from "./checks.ts";
import type { GenerationReader } from "./generation-buffer.ts";
import { defaultKeysMax, ImportWriter, type Link } from "./import-writer.ts";
import { type CurRow, isMilestone } from "./schema.ts";
import type { State } from "./state.ts";
import { keyName, verifyCur } from "./verify-row.ts";

const headColumns = "version, main, sub, create_rev, lease, seq, chain, head_check";

export class GenerationWriter {
  readonly #db: SqliteDatabase;
  readonly #file: string;
  readonly #importKeysMax: number;
  /** While an import goes on. */
  #import: ImportWriter | undefined;
  readonly #insertLog: SqliteStatement;
  readonly #findCur: SqliteStatement<CurRow>;
  readonly #insertCur: SqliteStatement;
  readonly #updateCur: SqliteStatement;
  readonly #insertLeased: SqliteStatement;
  readonly #deleteLeased: SqliteStatement;
  readonly #insertMilestone: SqliteStatement;
  readonly #putMeta: SqliteStatement;
  readonly #deleteMeta: SqliteStatement;

  constructor(db: SqliteDatabase, file: string, importKeysMax = defaultKeysMax) {
    this.#importKeysMax = importKeysMax;
    this.#db = db;
    this.#file = file;
    this.#insertLog = db.prepare("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#findCur = db.prepare(`SELECT ${headColumns} FROM cur WHERE key = +?`);
    this.#insertCur =
      db.prepare(`INSERT INTO cur (version, main, sub, create_rev, lease, seq, chain, head_check, key)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`);
    this.#updateCur =
      db.prepare(`UPDATE cur SET version = ?, main = ?, sub = ?, create_rev = ?, lease = ?, seq = ?,
      chain = ?, head_check = ? WHERE key = +?`);
    this.#insertLeased = db.prepare("INSERT INTO leased VALUES (?, ?, ?)");
    this.#deleteLeased = db.prepare("DELETE FROM leased WHERE lease = +? AND key = +?");
    this.#insertMilestone = db.prepare("INSERT INTO milestone VALUES (?, ?)");
    this.#putMeta = db.prepare(`INSERT INTO meta VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET value = excluded.value, row_check = excluded.row_check`);
    this.#deleteMeta = db.prepare("DELETE FROM meta WHERE bucket = +? AND key = +?");
  }

  /** Returns the state after the generation; the caller writes it. `rest` is called now and then when much is written
   * at once. */
  apply(generation: GenerationReader, state: State, rest: () => void): State {
    const { rowCount } = generation;
    checkOrder(generation, state);
    // What is gathered during an import is only right for a table that was empty.
    if (generation.importGoesOn && state.next_seq === 1) {
      this.#import ??= new ImportWriter(this.#db, this.#file, this.#importKeysMax);
    }
    if (this.#import === undefined) this.#applyRows(generation, state.next_seq);
    else this.#importRows(this.#import, generation, state.next_seq, rest);
    for (const { bucket, key, value } of generation.changes()) {
      if (value === undefined) this.#deleteMeta.run(bucket, key);
      else this.#putMeta.run(bucket, key, value, metaCheck(bucket, key, value));
    }
    return {
      ...state,
      revision: generation.revision,
      applied_index: generation.appliedIndex,
      applied_term: generation.appliedTerm,
      compact_revision: generation.compactRevision,
      next_seq: state.next_seq + rowCount,
    };
  }

  #applyRows(generation: GenerationReader, firstSeq: number): void {
    const { rowCount } = generation;
    const { keys, lastRowOf, before } = groupByKey(generation);
    const work: Work = {
      generation,
      before,
      firstSeq,
      prev: new Float64Array(rowCount),
      chain: new Float64Array(rowCount),
    };
    for (const key of keys) this.#applyKey(work, lastRowOf.get(key)!);
    for (let row = 0; row < rowCount; row++) {
      this.#appendLog(generation, row, firstSeq + row, { prev: work.prev[row]!, chain: work.chain[row]! });
    }
  }

  #importRows(heads: ImportWriter, generation: GenerationReader, firstSeq: number, rest: () => void): void {
    assert(generation.isImport, "sqlite: an import has not ended");
    for (let row = 0; row < generation.rowCount; row++) {
      if (heads.isFull) heads.flush(rest);
      const seq = firstSeq + row;
      this.#appendLog(generation, row, seq, heads.add(generation, row, seq));
    }
    if (generation.importGoesOn) return;
    heads.end(rest);
    this.#import = undefined;
  }

  /** Links the rows of one key to each other and to what is stored, and brings its row in `cur` up to date. */
  #applyKey(work: Work, lastRow: number): void {
    const { generation, before, firstSeq, prev, chain } = work;
    // Oldest first, for the links.
    const rows = [lastRow];
    for (let row = before[lastRow]!; row >= 0; row = before[row]!) rows.push(row);
    rows.reverse();
    const key = generation.key(lastRow);
    const creates = generation.version(rows[0]!) === 1;
    // A created key is most often a new one: try that first, it is one statement and not two.
    const mayBeNew = creates || generation.isImport;
    const isNew = mayBeNew && this.#putCur(this.#insertCur, work, lastRow, rows.length - 1) > 0;
    const previous = isNew ? undefined : this.#stored(key, generation.isImport ? undefined : creates);
    let previousSeq = previous?.seq ?? 0;
    let position = previous === undefined ? 0 : previous.chain + 1;
    for (const row of rows) {
      prev[row] = previousSeq;
      chain[row] = position;
      previousSeq = firstSeq + row;
      if (isMilestone(position)) this.#insertMilestone.run(key, previousSeq);
      position++;
    }
    if (!isNew) {
      const updated = this.#putCur(this.#updateCur, work, lastRow, position - 1);
      assert(updated === 1, `sqlite: ${updated} rows of cur for one key`);
    }
    this.#moveLease(key, previous?.lease ?? null, generation.lease(lastRow));
  }

  #moveLease(key: Uint8Array, from: Uint8Array | null, to: Uint8Array | null): void {
    if (from === null && to === null) return;
    if (from !== null && to !== null && Buffer.compare(from, to) === 0) return;
    if (from !== null && Number(this.#deleteLeased.run(from, key).changes) !== 1) {
      throw new BackendCorruptError(this.#file, `key ${keyName(key)}`, "its entry in leased is missing");
    }
    if (to !== null) this.#insertLeased.run(to, key, leasedCheck(to, key));
  }

  /** The row of `cur` that a generation goes on from. `creates`, unless anything may follow: whether the next version
   * is the first since a deletion. */
  #stored(key: Uint8Array, creates: boolean | undefined): CurRow {
    const row = this.#findCur.get(key);
    const place = `key ${keyName(key)}`;
    if (!row) throw new BackendCorruptError(this.#file, place, "a known key has no entry in cur");
    verifyCur(row, key, this.#file);
    if (creates !== undefined && creates !== (row.version === 0)) {
      throw new BackendCorruptError(this.#file, place, "a new version does not follow from the stored one");
    }
    return row;
  }

  #putCur(statement: SqliteStatement, { generation, firstSeq }: Work, row: number, chain: number): number {
    const key = generation.key(row);
    const head = headOf(generation, row, firstSeq + row, chain);
    const { version, main, sub, create_rev, lease, seq } = head;
    const check = headCheck(head, curRow, key);
    return Number(statement.run(version, main, sub, create_rev, lease, seq, chain, check, key).changes);
  }

  #appendLog(generation: GenerationReader, row: number, seq: number, { prev, chain }: Link): void {
    const key = generation.key(row);
    const value = generation.value(row);
    const head = headOf(generation, row, seq, chain);
    const { main, sub, create_rev, version, lease } = head;
    const check = headCheck(head, prev, key);
    const valueSum = valueCheck(value, check);
    this.#insertLog.run(seq, main, sub, create_rev, version, lease, prev, chain, check, valueSum, key, value);
  }
}

/** What one generation is worked into. */
interface Work {
  readonly generation: GenerationReader;
  /** For each row the row of the same key before it, -1 for none. */
  readonly before: Int32Array;
  /** The seq of row 0. */
  readonly firstSeq: number;
  /** For each row what its columns of these names will be. */
  readonly prev: Float64Array;
  readonly chain: Float64Array;
}

function headOf(generation: GenerationReader, row: number, seq: number, chain: number) {
  return {
    seq,
    main: generation.main(row),
    sub: generation.sub(row),
    create_rev: generation.createRevision(row),
    version: generation.version(row),
    lease: generation.lease(row),
    chain,
  };
}

function checkOrder(generation: GenerationReader, state: State): void {
  let main = state.revision;
  let sub = Number.POSITIVE_INFINITY;
  for (let row = 0; row < generation.rowCount; row++) {
    const rowMain = generation.main(row);
    const rowSub = generation.sub(row);
    assert(rowMain > main || (rowMain === main && rowSub > sub), `version ${rowMain}.${rowSub} is not newer`);
    main = rowMain;
    sub = rowSub;
  }
  assert(generation.revision >= main, `revision ${generation.revision} is behind its versions`);
  assert(generation.appliedIndex >= state.applied_index, "the applied index goes back");
  assert(generation.compactRevision >= state.compact_revision, "the compact revision goes back");
}

interface Grouped {
  /** Each key once, in order. */
  readonly keys: string[];
  readonly lastRowOf: ReadonlyMap<string, number>;
  /** For each row the row of the same key before it, -1 for none. */
  readonly before: Int32Array;
}

function groupByKey(generation: GenerationReader): Grouped {
  const lastRowOf = new Map<string, number>();
  const before = new Int32Array(generation.rowCount);
  for (let row = 0; row < generation.rowCount; row++) {
    const key = generation.keyText(row);
    before[row] = lastRowOf.get(key) ?? -1;
    lastRowOf.set(key, row);
  }
  return { keys: [...lastRowOf.keys()].sort(), lastRowOf, before };
}

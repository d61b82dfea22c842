/**
 * Writes the versions of another store into an empty one. They come in the order of the log, which grows at its end; but
 * their keys come in any order, and `cur` would be written all over with every generation. So the newest heads are
 * gathered here, and brought to `cur` in the order of the keys when there are many, and at the end. Until then reads of
 * the file do not find them: nobody may read before the import has ended.
 *
 * Memory is bounded: a full table (about 40 MB with keys of 30 bytes) is written out, and a later version of a key finds
 * the one before in `cur`. That costs a search, which the filter spares the keys that are new.
 */
import { assert } from "../../lib/assert.ts";
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import { BackendCorruptError } from "../errors.ts";
import { curRow, headCheck, leasedCheck } from "./checks.ts";
import type { GenerationReader } from "./generation-buffer.ts";
import { KeyFilter } from "./key-filter.ts";
import { type CurRow, isMilestone } from "./schema.ts";
import { keyName, verifyCur } from "./verify-row.ts";

/** Keys whose heads are gathered before they are written out. */
export const defaultKeysMax = 2 ** 18;
/** The same for the bytes of their keys. */
const keyBytesMax = 32 * 1024 * 1024;
/** Milestones, likewise. */
const milestonesMax = 2 ** 17;
/** Heads written between two rests. */
const restEvery = 16_384;

const columns = 6;
const [mainAt, createAt, versionAt, subAt, seqAt, chainAt] = [0, 1, 2, 3, 4, 5] as const;

/** Where a row of the log comes after: the key's version before, if there is one. */
export interface Link {
  readonly prev: number;
  readonly chain: number;
}

const noLink: Link = { prev: 0, chain: 0 };

export class ImportWriter {
  readonly #file: string;
  readonly #keysMax: number;
  readonly #findCur: SqliteStatement<CurRow>;
  readonly #putCur: SqliteStatement;
  readonly #insertLeased: SqliteStatement;
  readonly #deleteLeased: SqliteStatement;
  readonly #insertMilestone: SqliteStatement;
  /** For each key the row of `#numbers` that holds its newest head. */
  readonly #slots = new Map<string, number>();
  readonly #numbers: Float64Array;
  /** By slot; only of heads that have one. */
  readonly #leases = new Map<number, Uint8Array>();
  /** The leases of heads in `cur` that are about to be replaced, by slot. */
  readonly #replaced = new Map<number, Uint8Array>();
  #milestones: { readonly key: string; readonly seq: number }[] = [];
  #keyBytes = 0;
  /** The keys in `cur`, once there are any. */
  #known: KeyFilter | undefined;

  constructor(db: SqliteDatabase, file: string, keysMax: number) {
    this.#keysMax = keysMax;
    this.#numbers = new Float64Array(keysMax * columns);
    this.#file = file;
    this.#findCur = db.prepare(`SELECT version, main, sub, create_rev, lease, seq, chain, head_check
      FROM cur WHERE key = +?`);
    this.#putCur =
      db.prepare(`INSERT INTO cur (version, main, sub, create_rev, lease, seq, chain, head_check, key)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version, main = excluded.main,
      sub = excluded.sub, create_rev = excluded.create_rev, lease = excluded.lease, seq = excluded.seq,
      chain = excluded.chain, head_check = excluded.head_check`);
    this.#insertLeased = db.prepare("INSERT INTO leased VALUES (?, ?, ?)");
    this.#deleteLeased = db.prepare("DELETE FROM leased WHERE lease = +? AND key = +?");
    this.#insertMilestone = db.prepare("INSERT INTO milestone VALUES (?, ?)");
  }

  /** True when `flush` has to come before the next `add`. */
  get isFull(): boolean {
    const isLong = this.#keyBytes >= keyBytesMax || this.#milestones.length >= milestonesMax;
    return isLong || this.#slots.size >= this.#keysMax;
  }

  /** Takes a version that gets `seq` in the log, and says what it follows. */
  add(generation: GenerationReader, row: number, seq: number): Link {
    const key = generation.keyText(row);
    let slot = this.#slots.get(key);
    let link: Link;
    if (slot === undefined) {
      slot = this.#slots.size;
      assert(slot < this.#keysMax, "sqlite: an import has too many heads to keep");
      link = this.#known === undefined ? noLink : this.#stored(this.#known, generation.key(row), slot);
      this.#slots.set(key, slot);
      this.#keyBytes += key.length;
    } else {
      const at = slot * columns;
      link = { prev: this.#numbers[at + seqAt]!, chain: this.#numbers[at + chainAt]! + 1 };
    }
    const at = slot * columns;
    this.#numbers[at + mainAt] = generation.main(row);
    this.#numbers[at + createAt] = generation.createRevision(row);
    this.#numbers[at + versionAt] = generation.version(row);
    this.#numbers[at + subAt] = generation.sub(row);
    this.#numbers[at + seqAt] = seq;
    this.#numbers[at + chainAt] = link.chain;
    const lease = generation.lease(row);
    if (lease !== null) this.#leases.set(slot, lease);
    else this.#leases.delete(slot);
    if (isMilestone(link.chain)) this.#milestones.push({ key, seq });
    return link;
  }

  /** Brings all heads to `cur`, and calls `rest` now and then. */
  flush(rest: () => void): void {
    this.#known ??= new KeyFilter();
    this.#write(rest, this.#known);
  }

  /** The same when nothing is added afterwards. */
  end(rest: () => void): void {
    this.#write(rest, undefined);
  }

  #write(rest: () => void, known: KeyFilter | undefined): void {
    let left = restEvery;
    for (const text of [...this.#slots.keys()].sort()) {
      const key = Buffer.from(text, "latin1");
      this.#writeHead(key, this.#slots.get(text)!);
      known?.add(key);
      if (--left > 0) continue;
      rest();
      left = restEvery;
    }
    this.#milestones.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.seq - b.seq));
    for (const { key, seq } of this.#milestones) this.#insertMilestone.run(Buffer.from(key, "latin1"), seq);
    this.#milestones = [];
    this.#slots.clear();
    this.#leases.clear();
    this.#replaced.clear();
    this.#keyBytes = 0;
  }

  /** What a key follows that is in no slot yet. */
  #stored(known: KeyFilter, key: Uint8Array, slot: number): Link {
    const row = known.mayHave(key) ? this.#findCur.get(key) : undefined;
    if (!row) return noLink;
    verifyCur(row, key, this.#file);
    if (row.lease !== null) this.#replaced.set(slot, row.lease);
    return { prev: row.seq, chain: row.chain + 1 };
  }

  #writeHead(key: Uint8Array, slot: number): void {
    const at = slot * columns;
    const numbers = this.#numbers;
    const lease = this.#leases.get(slot) ?? null;
    const head = {
      version: numbers[at + versionAt]!,
      main: numbers[at + mainAt]!,
      sub: numbers[at + subAt]!,
      create_rev: numbers[at + createAt]!,
      lease,
      seq: numbers[at + seqAt]!,
      chain: numbers[at + chainAt]!,
    };
    const { version, main, sub, create_rev, seq, chain } = head;
    const check = headCheck(head, curRow, key);
    this.#putCur.run(version, main, sub, create_rev, lease, seq, chain, check, key);
    const replaced = this.#replaced.get(slot);
    if (replaced !== undefined && Number(this.#deleteLeased.run(replaced, key).changes) !== 1) {
      throw new BackendCorruptError(this.#file, `key ${keyName(key)}`, "its entry in leased is missing");
    }
    if (lease !== null) this.#insertLeased.run(lease, key, leasedCheck(lease, key));
  }
}

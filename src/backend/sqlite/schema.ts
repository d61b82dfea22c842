/**
 * The tables of the SQLite backend. DESIGN.md in the folder above draws them and says why they are so.
 *
 * log        every version that is still kept, in the order of the transactions. `prev` is the seq of the key's version
 *            before (0: none was), `chain` how many versions came before it since the key entered `cur`.
 * cur        a row for each key: the head of its newest version, and where that is in the log.
 * leased     the keys whose newest version is attached to a lease. A table and not an index, because rows of an index
 *            have no checksum.
 * milestone  every 8th version of a key: how a read far in the past finds its way without walking all `prev` links.
 * meta       the durable rows of other modules.
 * state      one row: the position, written in the same transaction as everything else.
 *
 * `prev` may name a row that is gone: only if compaction removed it (see past.ts).
 *
 * In every statement a parameter outside VALUES and SET is written `+?`: a bare `?` in a comparison or a LIMIT lets the
 * planner look at its value, and SQLite (3.54) then prepares the statement anew at every execution. That made a
 * point read 12 us instead of 2.5 us.
 */

/** Marks the file as ours (PRAGMA application_id): "etcl". */
export const applicationId = 0x6574636c;
/** PRAGMA user_version. A file with a newer one is refused. */
export const schemaVersion = 1;
export const fileName = "store.db";

/** A version whose `chain` is a positive multiple of this has a row in `milestone`. */
export const milestoneEvery = 8;

export function isMilestone(chain: number): boolean {
  return chain > 0 && chain % milestoneEvery === 0;
}

export const schema: readonly string[] = [
  `CREATE TABLE log (
    seq INTEGER PRIMARY KEY, main INTEGER NOT NULL, sub INTEGER NOT NULL, create_rev INTEGER NOT NULL,
    version INTEGER NOT NULL, lease BLOB, prev INTEGER NOT NULL, chain INTEGER NOT NULL,
    head_check INTEGER NOT NULL, value_check INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL)`,
  `CREATE TABLE cur (
    key BLOB PRIMARY KEY, version INTEGER NOT NULL, main INTEGER NOT NULL, sub INTEGER NOT NULL,
    create_rev INTEGER NOT NULL, lease BLOB, seq INTEGER NOT NULL, chain INTEGER NOT NULL,
    head_check INTEGER NOT NULL) WITHOUT ROWID`,
  "CREATE INDEX cur_tombstone ON cur (key) WHERE version = 0",
  `CREATE TABLE leased (
    lease BLOB NOT NULL, key BLOB NOT NULL, row_check INTEGER NOT NULL, PRIMARY KEY (lease, key)) WITHOUT ROWID`,
  "CREATE TABLE milestone (key BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) WITHOUT ROWID",
  `CREATE TABLE meta (
    bucket TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, row_check INTEGER NOT NULL,
    PRIMARY KEY (bucket, key)) WITHOUT ROWID`,
  `CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 0), revision INTEGER NOT NULL, applied_index INTEGER NOT NULL,
    applied_term INTEGER NOT NULL, compact_revision INTEGER NOT NULL, compacted_revision INTEGER NOT NULL,
    next_seq INTEGER NOT NULL, compact_seq INTEGER NOT NULL, row_check INTEGER NOT NULL)`,
];

/** The columns of a head, in `log` and in `cur`. */
export interface HeadRow {
  readonly key: Uint8Array;
  readonly version: number;
  readonly main: number;
  readonly sub: number;
  readonly create_rev: number;
  /** Eight bytes, big-endian; null for no lease. */
  readonly lease: Uint8Array | null;
  readonly seq: number;
  readonly chain: number;
  readonly head_check: number;
}

/** A row of `cur`. */
export type CurRow = HeadRow;

/** A row of `log` without its value. */
export interface LogHeadRow extends HeadRow {
  readonly prev: number;
}

export interface LogRow extends LogHeadRow {
  readonly value_check: number;
  readonly value: Uint8Array;
}

export interface StateRow {
  readonly revision: number;
  readonly applied_index: number;
  readonly applied_term: number;
  readonly compact_revision: number;
  readonly compacted_revision: number;
  /** The seq of the next row of the log. Kept, because the log's last row may be removed. */
  readonly next_seq: number;
  /** Compaction has been over all rows of the log up to this one. */
  readonly compact_seq: number;
  readonly row_check: number;
}

export interface LeasedRow {
  readonly lease: Uint8Array;
  readonly key: Uint8Array;
  readonly row_check: number;
}

export interface MetaRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly row_check: number;
}

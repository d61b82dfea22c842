/** The row that says how far the data reaches. */
import type { RaftIndex, Revision, Term } from "../../lib/ids.ts";
import type { SqliteDatabase, SqliteStatement } from "../../runtime/sqlite.ts";
import type { BackendPosition } from "../backend.ts";
import { BackendCorruptError } from "../errors.ts";
import { stateCheck } from "./checks.ts";
import type { StateRow } from "./schema.ts";

export type State = Omit<StateRow, "row_check">;

/** An empty store is at revision 1, as in etcd. */
export const emptyState: State = {
  revision: 1,
  applied_index: 0,
  applied_term: 0,
  compact_revision: 0,
  compacted_revision: 0,
  next_seq: 1,
  compact_seq: 0,
};

export function insertState(db: SqliteDatabase, state: State): void {
  db.prepare("INSERT INTO state VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?)").run(...values(state));
}

export function prepareStateUpdate(db: SqliteDatabase): SqliteStatement {
  return db.prepare(`UPDATE state SET revision = ?, applied_index = ?, applied_term = ?, compact_revision = ?,
    compacted_revision = ?, next_seq = ?, compact_seq = ?, row_check = ? WHERE id = 0`);
}

/** In the order of the columns, the checksum last. */
export function values(state: State): number[] {
  return [
    state.revision,
    state.applied_index,
    state.applied_term,
    state.compact_revision,
    state.compacted_revision,
    state.next_seq,
    state.compact_seq,
    stateCheck(state),
  ];
}

export function readState(db: SqliteDatabase, file: string): State {
  const row = db.prepare<StateRow>("SELECT * FROM state WHERE id = 0").get();
  if (!row) throw new BackendCorruptError(file, "state", "the row with the position is missing");
  if (stateCheck(row) !== row.row_check) {
    throw new BackendCorruptError(file, "state", "the row with the position fails its checksum");
  }
  return row;
}

export function toPosition(state: State): BackendPosition {
  return {
    revision: state.revision as Revision,
    appliedIndex: state.applied_index as RaftIndex,
    appliedTerm: state.applied_term as Term,
    compactRevision: state.compact_revision as Revision,
    compactedRevision: state.compacted_revision as Revision,
  };
}

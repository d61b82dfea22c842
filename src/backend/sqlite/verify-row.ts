/** Every row passes through here before anybody acts on it. */
import type { SqliteValue } from "../../runtime/sqlite.ts";
import { BackendCorruptError } from "../errors.ts";
import { curRow, headCheck, leasedCheck, metaCheck, valueCheck } from "./checks.ts";
import type { CurRow, LeasedRow, LogHeadRow, LogRow, MetaRow } from "./schema.ts";

/** For messages: a key as text. Damage can make it anything. */
export function keyName(key: SqliteValue): string {
  const text = key instanceof Uint8Array ? Buffer.from(key).toString("latin1") : String(key);
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
}

export function outOfOrder(file: string, table: string, key: SqliteValue): BackendCorruptError {
  return new BackendCorruptError(file, `row of ${table}, key ${keyName(key)}`, "keys do not follow in order");
}

export function verifyCur(row: CurRow, key: Uint8Array, file: string): void {
  if (headCheck(row, curRow, key) !== row.head_check) {
    throw new BackendCorruptError(
      file,
      `row of cur, key ${keyName(key)}`,
      "a key's entry fails its checksum",
    );
  }
}

export function verifyLogHead(row: LogHeadRow, file: string): void {
  if (headCheck(row, row.prev, row.key) !== row.head_check) {
    throw new BackendCorruptError(file, `row ${row.seq} of log`, "a version fails its checksum");
  }
}

export function verifyLogRow(row: LogRow, file: string): void {
  verifyLogHead(row, file);
  verifyValue(row, file);
}

export function verifyValue(
  row: {
    readonly seq: number;
    readonly head_check: number;
    readonly value_check: number;
    readonly value: Uint8Array;
  },
  file: string,
): void {
  if (valueCheck(row.value, row.head_check) !== row.value_check) {
    throw new BackendCorruptError(file, `row ${row.seq} of log`, "a value fails its checksum");
  }
}

export function verifyLeased(row: LeasedRow, file: string): void {
  if (leasedCheck(row.lease, row.key) !== row.row_check) {
    throw new BackendCorruptError(file, `row of leased, key ${keyName(row.key)}`, "a row fails its checksum");
  }
}

export function verifyMeta(row: MetaRow, bucket: string, file: string): void {
  if (metaCheck(bucket, row.key, row.value) !== row.row_check) {
    throw new BackendCorruptError(
      file,
      `row of meta, ${bucket} ${keyName(row.key)}`,
      "a row fails its checksum",
    );
  }
}

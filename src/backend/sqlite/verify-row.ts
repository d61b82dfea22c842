/** Every row passes through here before anybody acts on it. */
import type { SqliteValue } from "../../runtime/sqlite.ts";
import { BackendCorruptError } from "../errors.ts";
import { curRow, headCheck, metaCheck, valueCheck } from "./checks.ts";
import type { CurRow, LogHeadRow, LogRow, MetaRow } from "./schema.ts";

/** For messages: a key as text where it is text. */
export function keyName(key: Uint8Array | string): string {
  const text = typeof key === "string" ? key : Buffer.from(key).toString("latin1");
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
}

/** Damage can turn a column of one type into another; the checksums expect the right ones. */
function isBytes(value: SqliteValue): value is Uint8Array {
  return value instanceof Uint8Array;
}

export function verifyCur(row: CurRow, key: Uint8Array, file: string): void {
  if (!isBytes(key) || headCheck(row, curRow, key) !== row.head_check) {
    throw new BackendCorruptError(
      file,
      `row of cur, key ${keyName(key)}`,
      "a key's entry fails its checksum",
    );
  }
}

export function verifyLogHead(row: LogHeadRow, file: string): void {
  if (!isBytes(row.key) || headCheck(row, row.prev, row.key) !== row.head_check) {
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
  if (!isBytes(row.value) || valueCheck(row.value, row.head_check) !== row.value_check) {
    throw new BackendCorruptError(file, `row ${row.seq} of log`, "a value fails its checksum");
  }
}

export function verifyMeta(row: MetaRow, bucket: string, file: string): void {
  const whole = isBytes(row.key) && isBytes(row.value);
  if (!whole || metaCheck(bucket, row.key, row.value) !== row.row_check) {
    throw new BackendCorruptError(
      file,
      `row of meta, ${bucket} ${keyName(row.key)}`,
      "a row fails its checksum",
    );
  }
}

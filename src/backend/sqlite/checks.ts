/**
 * The checksums in the rows. SQLite does not notice a flipped bit in a row, so every row carries a CRC-32 over all of
 * its columns and the key it belongs to. (zlib's, because it is native code on every runtime: 0.05 to 0.2 us for a
 * row. CRC-32C has no native implementation in JavaScript.)
 *
 * A row of `log` has two: one over head and key, and one over the value that starts from the first, so that heads can
 * be verified without their values and a value cannot belong to another head.
 */
import { endianness } from "node:os";
import { crc32 } from "node:zlib";
import { assert } from "../../lib/assert.ts";
import type { StateRow } from "./schema.ts";

assert(endianness() === "LE", "the checksums are defined on little-endian numbers");

/** Seven numbers, then the lease, then the key. */
const numbersCount = 7;
const leaseAt = numbersCount * 8;
const keyAt = leaseAt + 8;
/** Longer keys get a buffer of their own. */
const keyLengthMax = 512;

const scratch = new Uint8Array(keyAt + keyLengthMax);
const numbers = new Float64Array(scratch.buffer, 0, numbersCount);
/** scratch's beginnings by key length: making a view costs as much as the checksum. */
const beginnings: Uint8Array[] = [];

/** Stands for `prev` in the checksum of a row of `cur`, so that it cannot be taken for one of `log`. */
export const curRow = -1;

/** A checksum as SQLite stores it in four bytes: signed. */
export function headCheck(
  row: {
    readonly seq: number;
    readonly main: number;
    readonly sub: number;
    readonly create_rev: number;
    readonly version: number;
    readonly chain: number;
    readonly lease: Uint8Array | null;
  },
  prev: number,
  key: Uint8Array,
): number {
  numbers[0] = row.seq;
  numbers[1] = row.main;
  numbers[2] = row.sub;
  numbers[3] = row.create_rev;
  numbers[4] = row.version;
  numbers[5] = row.chain;
  numbers[6] = prev;
  const { lease } = row;
  if (lease === null) scratch.fill(0, leaseAt, keyAt);
  else for (let i = 0; i < 8; i++) scratch[leaseAt + i] = lease[i]!;
  const { length } = key;
  if (length > keyLengthMax) return crc32(key, crc32(beginning(0))) | 0;
  for (let i = 0; i < length; i++) scratch[keyAt + i] = key[i]!;
  return crc32(beginning(length)) | 0;
}

function beginning(keyLength: number): Uint8Array {
  beginnings[keyLength] ??= scratch.subarray(0, keyAt + keyLength);
  return beginnings[keyLength]!;
}

/** The checksum of a value that belongs to the row whose head has the checksum `head`. */
export function valueCheck(value: Uint8Array, head: number): number {
  return crc32(value, head >>> 0) | 0;
}

const encoder = new TextEncoder();

export function metaCheck(bucket: string, key: Uint8Array, value: Uint8Array): number {
  // The length between key and value: moving a byte from one to the other is a change.
  const head = encoder.encode(`${bucket}\0${key.length}\0`);
  return crc32(value, crc32(key, crc32(head))) | 0;
}

export function stateCheck(row: Omit<StateRow, "row_check">): number {
  const {
    revision,
    applied_index,
    applied_term,
    compact_revision,
    compacted_revision,
    next_seq,
    compact_seq,
  } = row;
  const all = [
    revision,
    applied_index,
    applied_term,
    compact_revision,
    compacted_revision,
    next_seq,
    compact_seq,
  ];
  return crc32(new Uint8Array(new Float64Array(all).buffer)) | 0;
}

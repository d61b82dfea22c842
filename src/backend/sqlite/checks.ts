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

/** What no stored checksum is equal to: for rows with columns of the wrong type, which damage can make. */
export const noCheck = Number.NaN;

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
  const { seq, main, sub, create_rev, version, chain, lease } = row;
  // A null or an empty blob would become a zero below.
  if (typeof seq !== "number" || typeof main !== "number" || typeof sub !== "number") return noCheck;
  if (typeof create_rev !== "number" || typeof version !== "number") return noCheck;
  if (typeof chain !== "number" || typeof prev !== "number" || !(key instanceof Uint8Array)) return noCheck;
  numbers[0] = seq;
  numbers[1] = main;
  numbers[2] = sub;
  numbers[3] = create_rev;
  numbers[4] = version;
  numbers[5] = chain;
  numbers[6] = prev;
  if (lease === null) scratch.fill(0, leaseAt, keyAt);
  else if (!(lease instanceof Uint8Array) || lease.length !== 8) return noCheck;
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
  if (!(value instanceof Uint8Array)) return noCheck;
  return crc32(value, head >>> 0) | 0;
}

/** Leases have eight bytes: a byte that moves from lease to key is a change too. */
export function leasedCheck(lease: Uint8Array, key: Uint8Array): number {
  if (!(lease instanceof Uint8Array) || lease.length !== 8 || !(key instanceof Uint8Array)) return noCheck;
  return crc32(key, crc32(lease)) | 0;
}

const encoder = new TextEncoder();

export function metaCheck(bucket: string, key: Uint8Array, value: Uint8Array): number {
  if (!(key instanceof Uint8Array) || !(value instanceof Uint8Array)) return noCheck;
  // The length of the key first: moving a byte from it to the value is a change.
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
  if (!all.every((value) => typeof value === "number")) return noCheck;
  return crc32(new Uint8Array(new Float64Array(all).buffer)) | 0;
}

/**
 * The keys of etcd's bucket "key": a revision, so that the bucket is the history in order. Main revision and place in the
 * transaction, 8 bytes each, most significant first, "_" between them; a "t" behind them marks a deletion.
 */

export const revisionKeyBytes = 17;
export const tombstoneKeyBytes = 18;

const separator = 0x5f;
const tombstoneMark = 0x74;
const two32 = 2 ** 32;

export interface RevisionKey {
  readonly main: number;
  readonly sub: number;
  readonly isTombstone: boolean;
}

export function encodeRevisionKey(main: number, sub: number, isTombstone = false): Uint8Array {
  const bytes = new Uint8Array(isTombstone ? tombstoneKeyBytes : revisionKeyBytes);
  writeNumber(bytes, 0, main);
  bytes[8] = separator;
  writeNumber(bytes, 9, sub);
  if (isTombstone) bytes[17] = tombstoneMark;
  return bytes;
}

/** Undefined for what is no such key, or has a number that is not a safe integer. */
export function decodeRevisionKey(bytes: Uint8Array): RevisionKey | undefined {
  const isTombstone = bytes.length === tombstoneKeyBytes;
  if (!isTombstone && bytes.length !== revisionKeyBytes) return undefined;
  if (bytes[8] !== separator || (isTombstone && bytes[17] !== tombstoneMark)) return undefined;
  const main = readNumber(bytes, 0);
  const sub = readNumber(bytes, 9);
  return Number.isSafeInteger(main) && Number.isSafeInteger(sub) ? { main, sub, isTombstone } : undefined;
}

/** 8 bytes, most significant first: how etcd keeps an index or a term. */
export function encodeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeNumber(bytes, 0, value);
  return bytes;
}

/** Undefined if it is not 8 bytes, or not a safe integer. */
export function decodeNumber(bytes: Uint8Array): number | undefined {
  const value = bytes.length === 8 ? readNumber(bytes, 0) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  let high = Math.floor(value / two32);
  let low = value >>> 0;
  for (let i = 3; i >= 0; i--) {
    bytes[at + i] = high;
    bytes[at + 4 + i] = low;
    high >>>= 8;
    low >>>= 8;
  }
}

function readNumber(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 8; i++) value = value * 0x100 + bytes[i]!;
  return value;
}

/** leasepb.Lease and its key: a row of etcd's bucket "lease". */
import type { LeaseId } from "../lib/ids.ts";
import { DecodeError, Reader } from "./protowire-read.ts";
import { bigFieldSize, numberFieldSize, sealed, writeBigField, writeNumberField } from "./protowire-write.ts";

export interface LeaseRow {
  readonly id: LeaseId;
  readonly ttlSeconds: number;
  /** Left at the last checkpoint; 0 if there was none since the lease was granted or renewed. */
  readonly remainingTtlSeconds: number;
}

export function encodeLeaseRow(row: LeaseRow): Uint8Array {
  const size =
    bigFieldSize(row.id) + numberFieldSize(row.ttlSeconds) + numberFieldSize(row.remainingTtlSeconds);
  const buffer = new Uint8Array(size);
  let at = writeBigField(buffer, 0, 0x08, row.id);
  at = writeNumberField(buffer, at, 0x10, row.ttlSeconds);
  return sealed(buffer, writeNumberField(buffer, at, 0x18, row.remainingTtlSeconds));
}

export function decodeLeaseRow(bytes: Uint8Array): LeaseRow {
  const reader = new Reader(bytes);
  let id = 0n;
  let ttlSeconds = 0;
  let remainingTtlSeconds = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) id = reader.bigInt();
    else if (tag === 0x10) ttlSeconds = reader.int();
    else if (tag === 0x18) remainingTtlSeconds = reader.int();
    else reader.skip(tag);
  }
  return { id: id as LeaseId, ttlSeconds, remainingTtlSeconds };
}

/** The id in 8 bytes, most significant first, as a binary string. */
export function leaseRowKey(id: LeaseId): string {
  const high = Number(BigInt.asUintN(32, id >> 32n));
  const low = Number(BigInt.asUintN(32, id));
  return String.fromCharCode(
    high >>> 24,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    low >>> 24,
    (low >>> 16) & 0xff,
    (low >>> 8) & 0xff,
    low & 0xff,
  );
}

export function leaseIdOfRowKey(key: string): LeaseId {
  if (key.length !== 8) throw new DecodeError(`leasepb: a key of ${key.length} bytes`);
  const high = bigEndian(key, 0);
  const low = bigEndian(key, 4);
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)) as LeaseId;
}

function bigEndian(key: string, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) value = value * 0x100 + key.charCodeAt(i);
  return value;
}

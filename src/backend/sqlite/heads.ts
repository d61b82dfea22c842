/** From rows to what the contract speaks of. */
import { type LeaseId, noLease, type Revision } from "../../lib/ids.ts";
import type { BinaryKey, Version, VersionHead } from "../backend.ts";
import type { HeadRow } from "./schema.ts";

export const noBytes = new Uint8Array(0);

/** The lease of the row before: rows with leases come in runs, and making a bigint is dear. */
let lastHigh = 0;
let lastLow = 0;
let lastLease: LeaseId = noLease;

export function leaseOf(bytes: Uint8Array | null): LeaseId {
  if (bytes === null) return noLease;
  const high = (bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!;
  const low = ((bytes[4]! << 24) | (bytes[5]! << 16) | (bytes[6]! << 8) | bytes[7]!) >>> 0;
  if (high !== lastHigh || low !== lastLow) {
    lastHigh = high;
    lastLow = low;
    lastLease = ((BigInt(high) << 32n) | BigInt(low)) as LeaseId;
  }
  return lastLease;
}

export function leaseBytes(lease: LeaseId): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, lease);
  return bytes;
}

export function headFrom(row: Omit<HeadRow, "key">, key: BinaryKey): VersionHead {
  return {
    key,
    modRevision: row.main as Revision,
    sub: row.sub,
    createRevision: row.create_rev as Revision,
    version: row.version,
    lease: leaseOf(row.lease),
  };
}

export function versionFrom(row: Omit<HeadRow, "key">, key: BinaryKey, value: Uint8Array): Version {
  return {
    key,
    modRevision: row.main as Revision,
    sub: row.sub,
    createRevision: row.create_rev as Revision,
    version: row.version,
    lease: leaseOf(row.lease),
    value,
  };
}

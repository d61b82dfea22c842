/**
 * The header that every answer begins with. Cluster id and member id never change while a server runs, so their bytes
 * are made once.
 */
import {
  bigFieldSize,
  numberFieldSize,
  sealed,
  writeBigField,
  writeBytes,
  writeLength,
  writeNumberField,
} from "./protowire-write.ts";

/** A ResponseHeader about to be written. */
export interface HeaderFields {
  /** The bytes of cluster_id and member_id, from `headerPrefix`. */
  readonly prefix: Uint8Array;
  readonly revision: number;
  readonly raftTerm: number;
}

export function headerPrefix(ids: { readonly clusterId: bigint; readonly memberId: bigint }): Uint8Array {
  const prefix = new Uint8Array(bigFieldSize(ids.clusterId) + bigFieldSize(ids.memberId));
  writeBigField(prefix, writeBigField(prefix, 0, 0x08, ids.clusterId), 0x10, ids.memberId);
  return prefix;
}

/** The header as field 1 of an answer: always there, even when empty. */
export function headerSize(header: HeaderFields): number {
  return 2 + headerBodySize(header);
}

/** Always below 128: 2 * 11 for the ids, 11 each for revision and term. */
function headerBodySize(header: HeaderFields): number {
  return header.prefix.length + numberFieldSize(header.revision) + numberFieldSize(header.raftTerm);
}

export function writeHeader(buffer: Uint8Array, at: number, header: HeaderFields): number {
  at = writeLength(buffer, at, 0x0a, headerBodySize(header));
  at = writeBytes(buffer, at, header.prefix);
  at = writeNumberField(buffer, at, 0x18, header.revision);
  return writeNumberField(buffer, at, 0x20, header.raftTerm);
}

/**
 * An answer that is a header and no more (CompactionResponse, LeaseRevokeResponse and others), and the first part of
 * any answer that is written in parts.
 */
export function encodeHeader(header: HeaderFields): Uint8Array {
  const buffer = new Uint8Array(headerSize(header));
  return sealed(buffer, writeHeader(buffer, 0, header));
}

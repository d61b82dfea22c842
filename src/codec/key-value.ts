/** mvccpb.KeyValue. */
import type { LeaseId } from "../lib/ids.ts";
import type { KeyValue } from "./kv.ts";
import { noBytes, Reader } from "./protowire-read.ts";
import {
  bigFieldSize,
  bytesFieldSize,
  lengthFieldSize,
  numberFieldSize,
  sealed,
  writeBigField,
  writeBytesField,
  writeLength,
  writeNumberField,
} from "./protowire-write.ts";

/** Bytes of the message alone. */
export function keyValueSize(kv: KeyValue): number {
  return (
    bytesFieldSize(kv.key) +
    numberFieldSize(kv.createRevision) +
    numberFieldSize(kv.modRevision) +
    numberFieldSize(kv.version) +
    bytesFieldSize(kv.value) +
    bigFieldSize(kv.lease)
  );
}

export function writeKeyValue(buffer: Uint8Array, at: number, kv: KeyValue): number {
  at = writeBytesField(buffer, at, 0x0a, kv.key);
  at = writeNumberField(buffer, at, 0x10, kv.createRevision);
  at = writeNumberField(buffer, at, 0x18, kv.modRevision);
  at = writeNumberField(buffer, at, 0x20, kv.version);
  at = writeBytesField(buffer, at, 0x2a, kv.value);
  return writeBigField(buffer, at, 0x30, kv.lease);
}

/** Bytes of the message as a field, with tag and length. */
export function keyValueFieldSize(kv: KeyValue): number {
  return lengthFieldSize(keyValueSize(kv));
}

export function writeKeyValueField(buffer: Uint8Array, at: number, tag: number, kv: KeyValue): number {
  return writeKeyValue(buffer, writeLength(buffer, at, tag, keyValueSize(kv)), kv);
}

/** The message alone: what etcd's database file keeps for every version of a key. */
export function encodeKeyValue(kv: KeyValue): Uint8Array {
  const buffer = new Uint8Array(keyValueSize(kv));
  return sealed(buffer, writeKeyValue(buffer, 0, kv));
}

export function decodeKeyValue(bytes: Uint8Array): KeyValue {
  const reader = new Reader(bytes);
  let key = noBytes;
  let createRevision = 0;
  let modRevision = 0;
  let version = 0;
  let value = noBytes;
  let lease = 0n;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) key = reader.bytesField();
    else if (tag === 0x10) createRevision = reader.int();
    else if (tag === 0x18) modRevision = reader.int();
    else if (tag === 0x20) version = reader.int();
    else if (tag === 0x2a) value = reader.bytesField();
    else if (tag === 0x30) lease = reader.bigInt();
    else reader.skip(tag);
  }
  return { key, createRevision, modRevision, version, value, lease: lease as LeaseId };
}

/** A repeated KeyValue field: each with `tag`. */
export function rowsSize(kvs: readonly KeyValue[]): number {
  let size = 0;
  for (const kv of kvs) size += keyValueFieldSize(kv);
  return size;
}

export function writeRows(buffer: Uint8Array, at: number, tag: number, kvs: readonly KeyValue[]): number {
  for (const kv of kvs) at = writeKeyValueField(buffer, at, tag, kv);
  return at;
}

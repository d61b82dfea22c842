/**
 * The bytes of configuration changes inside log entries: protobuf, as raftpb has it. By hand because the core must
 * read them (a leader checks what others propose) and they are two small messages. Unknown fields are skipped.
 */
import type { MemberId } from "../../lib/ids.ts";
import { type Entry, EntryType } from "../../lib/raft-entry.ts";
import { noBytes } from "../../lib/raft-message.ts";
import {
  asV2,
  type ConfChange,
  type ConfChangeSingle,
  type ConfChangeTransition,
  type ConfChangeType,
  type ConfChangeV2,
} from "./types.ts";

/** raftpb.ConfChange. All scalars are written, zero or not, as etcd's own encoder did for years. */
export function encodeConfChange(change: ConfChange): Uint8Array {
  const out: number[] = [];
  putVarintField(out, 1, change.id);
  putVarintField(out, 2, BigInt(change.type));
  putVarintField(out, 3, change.nodeId);
  if (change.context.length > 0) putBytesField(out, 4, change.context);
  return Uint8Array.from(out);
}

/** raftpb.ConfChangeV2. */
export function encodeConfChangeV2(change: ConfChangeV2): Uint8Array {
  const out: number[] = [];
  putVarintField(out, 1, BigInt(change.transition));
  for (const { type, nodeId } of change.changes) {
    const single: number[] = [];
    putVarintField(single, 1, BigInt(type));
    putVarintField(single, 2, nodeId);
    putBytesField(out, 2, single);
  }
  if (change.context.length > 0) putBytesField(out, 3, change.context);
  return Uint8Array.from(out);
}

/** Throws RangeError on bytes that are not a ConfChange. */
export function decodeConfChange(bytes: Uint8Array): ConfChange {
  let id = 0n;
  let type = 0;
  let nodeId = 0n;
  let context = noBytes;
  readFields(bytes, (field, value) => {
    if (typeof value === "bigint") {
      if (field === 1) id = value;
      else if (field === 2) type = Number(value);
      else if (field === 3) nodeId = value;
    } else if (field === 4) context = value;
  });
  return { id, type: type as ConfChangeType, nodeId: nodeId as MemberId, context };
}

/** Throws RangeError on bytes that are not a ConfChangeV2. */
export function decodeConfChangeV2(bytes: Uint8Array): ConfChangeV2 {
  let transition = 0;
  const changes: ConfChangeSingle[] = [];
  let context = noBytes;
  readFields(bytes, (field, value) => {
    if (typeof value === "bigint") {
      if (field === 1) transition = Number(value);
    } else if (field === 2) changes.push(decodeSingle(value));
    else if (field === 3) context = value;
  });
  return { transition: transition as ConfChangeTransition, changes, context };
}

/** What a configuration entry says, in the newer form; undefined for a normal entry. */
export function confChangeOf(entry: Entry): ConfChangeV2 | undefined {
  switch (entry.type) {
    case EntryType.normal:
      return undefined;
    case EntryType.confChange:
      return asV2(decodeConfChange(entry.data));
    case EntryType.confChangeV2:
      return decodeConfChangeV2(entry.data);
  }
}

function decodeSingle(bytes: Uint8Array): ConfChangeSingle {
  let type = 0;
  let nodeId = 0n;
  readFields(bytes, (field, value) => {
    if (typeof value !== "bigint") return;
    if (field === 1) type = Number(value);
    else if (field === 2) nodeId = value;
  });
  return { type: type as ConfChangeType, nodeId: nodeId as MemberId };
}

function putVarint(out: number[], value: bigint): void {
  let rest = value;
  while (rest > 0x7fn) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
}

function putVarintField(out: number[], field: number, value: bigint): void {
  out.push(field << 3);
  putVarint(out, value);
}

function putBytesField(out: number[], field: number, bytes: ArrayLike<number>): void {
  out.push((field << 3) | 2);
  putVarint(out, BigInt(bytes.length));
  for (let i = 0; i < bytes.length; i++) out.push(bytes[i]!);
}

/** Calls `visit` for each varint (as bigint) and length-delimited field (as bytes that share memory). */
function readFields(bytes: Uint8Array, visit: (field: number, value: bigint | Uint8Array) => void): void {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError("raft: conf change is cut short");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value & 0xffffffffffffffffn;
    }
    throw new RangeError("raft: conf change has an overlong number");
  };
  const skip = (count: number): number => {
    const from = at;
    if (count > bytes.length - at) throw new RangeError("raft: conf change is cut short");
    at += count;
    return from;
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = tag >>> 3;
    switch (tag & 7) {
      case 0:
        visit(field, varint());
        break;
      case 1:
        skip(8);
        break;
      case 2: {
        const length = Number(varint());
        const from = skip(length);
        visit(field, bytes.subarray(from, at));
        break;
      }
      case 5:
        skip(4);
        break;
      default:
        throw new RangeError("raft: conf change has an unknown wire type");
    }
  }
}

/** raftpb.Message: what members send each other. */
import type { MemberId, RaftIndex, Term } from "../lib/ids.ts";
import type { Entry } from "../lib/raft-entry.ts";
import { type Message, MessageType, type Snapshot } from "../lib/raft-message.ts";
import { DecodeError, noBytes, Reader } from "./protowire-read.ts";
import {
  bigVarintSize,
  bytesFieldSize,
  lengthFieldSize,
  sealed,
  varintSize,
  writeBigField,
  writeBytesField,
  writeLength,
} from "./protowire-write.ts";
import {
  entrySize,
  readEntry,
  readSnapshot,
  snapshotSize,
  writeBigScalar,
  writeEntry,
  writeScalar,
  writeSnapshot,
} from "./raft-log.ts";

/** All scalars are written but `vote`, which only local messages have. */
export function encodeMessage(message: Message): Uint8Array {
  const buffer = new Uint8Array(messageSize(message));
  return sealed(buffer, writeMessage(buffer, 0, message));
}

/** Writes `messageSize(message)` bytes. */
export function writeMessage(buffer: Uint8Array, at: number, message: Message): number {
  at = writeScalar(buffer, at, 0x08, message.type);
  at = writeBigScalar(buffer, at, 0x10, message.to);
  at = writeBigScalar(buffer, at, 0x18, message.from);
  at = writeScalar(buffer, at, 0x20, message.term);
  at = writeScalar(buffer, at, 0x28, message.logTerm);
  at = writeScalar(buffer, at, 0x30, message.index);
  for (const entry of message.entries) {
    at = writeEntry(buffer, writeLength(buffer, at, 0x3a, entrySize(entry)), entry);
  }
  at = writeScalar(buffer, at, 0x40, message.commit);
  if (message.snapshot !== undefined) {
    at = writeLength(buffer, at, 0x4a, snapshotSize(message.snapshot));
    at = writeSnapshot(buffer, at, message.snapshot);
  }
  at = writeScalar(buffer, at, 0x50, message.reject ? 1 : 0);
  at = writeScalar(buffer, at, 0x58, message.rejectHint);
  at = writeBytesField(buffer, at, 0x62, message.context);
  return writeBigField(buffer, at, 0x68, message.vote);
}

/** Bytes that `encodeMessage` makes. */
export function messageSize(message: Message): number {
  // One byte each for nine tags, the type and the bool.
  let size = 11 + bigVarintSize(message.to) + bigVarintSize(message.from);
  size += varintSize(message.term) + varintSize(message.logTerm) + varintSize(message.index);
  size += varintSize(message.commit) + varintSize(message.rejectHint) + bytesFieldSize(message.context);
  if (message.vote !== 0n) size += 1 + bigVarintSize(message.vote);
  for (const entry of message.entries) size += lengthFieldSize(entrySize(entry));
  if (message.snapshot !== undefined) size += lengthFieldSize(snapshotSize(message.snapshot));
  return size;
}

interface Draft {
  type: number;
  to: bigint;
  from: bigint;
  term: number;
  logTerm: number;
  index: number;
  entries: Entry[];
  commit: number;
  vote: bigint;
  snapshot: Snapshot | undefined;
  reject: boolean;
  rejectHint: number;
  context: Uint8Array;
}

/**
 * Entries and context are views into `bytes`. A message of an unknown type is an error, and so are more entries than
 * `entriesMax`: an entry costs more memory than the few bytes that a hostile member needs for one.
 */
export function decodeMessage(bytes: Uint8Array, entriesMax = Number.POSITIVE_INFINITY): Message {
  const reader = new Reader(bytes);
  const draft: Draft = {
    type: 0,
    to: 0n,
    from: 0n,
    term: 0,
    logTerm: 0,
    index: 0,
    entries: [],
    commit: 0,
    vote: 0n,
    snapshot: undefined,
    reject: false,
    rejectHint: 0,
    context: noBytes,
  };
  while (reader.more()) {
    readField(reader, reader.tag(), draft);
    if (draft.entries.length > entriesMax) throw new DecodeError("raftpb: too many entries");
  }
  if (draft.type < 0 || draft.type > MessageType.forgetLeader)
    throw new DecodeError("raftpb: unknown message type");
  return {
    ...draft,
    type: draft.type as MessageType,
    to: draft.to as MemberId,
    from: draft.from as MemberId,
    term: draft.term as Term,
    logTerm: draft.logTerm as Term,
    index: draft.index as RaftIndex,
    commit: draft.commit as RaftIndex,
    vote: draft.vote as MemberId,
    rejectHint: draft.rejectHint as RaftIndex,
  };
}

function readField(reader: Reader, tag: number, draft: Draft): void {
  if (tag === 0x08) draft.type = reader.enum();
  else if (tag === 0x10) draft.to = reader.bigUint();
  else if (tag === 0x18) draft.from = reader.bigUint();
  else if (tag === 0x20) draft.term = reader.safeUint();
  else if (tag === 0x28) draft.logTerm = reader.safeUint();
  else if (tag === 0x30) draft.index = reader.safeUint();
  else if (tag === 0x40) draft.commit = reader.safeUint();
  else if (tag === 0x50) draft.reject = reader.bool();
  else if (tag === 0x58) draft.rejectHint = reader.safeUint();
  else if (tag === 0x62) draft.context = reader.bytesField();
  else if (tag === 0x68) draft.vote = reader.bigUint();
  else if (tag === 0x3a || tag === 0x4a) {
    const outer = reader.enter();
    if (tag === 0x3a) draft.entries.push(readEntry(reader));
    else draft.snapshot = readSnapshot(reader);
    reader.leave(outer);
  } else reader.skip(tag);
}

/**
 * raftpb.Entry, HardState, ConfState, SnapshotMetadata and Snapshot. They are proto2: scalars are written also when
 * they are zero (etcd sets them all), bytes only when there are any. Numbers above 2^53 - 1 are refused.
 * Of a message that comes twice inside another the last one counts: nobody who speaks Raft sends that.
 */
import type { MemberId, RaftIndex, Term } from "../lib/ids.ts";
import {
  type ConfState,
  type Entry,
  EntryType,
  type HardState,
  type SnapshotMark,
} from "../lib/raft-entry.ts";
import type { Snapshot } from "../lib/raft-message.ts";
import { DecodeError, noBytes, Reader } from "./protowire-read.ts";
import {
  bigVarintSize,
  bytesFieldSize,
  lengthFieldSize,
  sealed,
  varintSize,
  writeBigVarint,
  writeBytesField,
  writeLength,
  writeVarint,
} from "./protowire-write.ts";

/** A scalar with its tag, also when it is zero. */
export function writeScalar(buffer: Uint8Array, at: number, tag: number, value: number): number {
  buffer[at] = tag;
  return writeVarint(buffer, at + 1, value);
}

export function writeBigScalar(buffer: Uint8Array, at: number, tag: number, value: bigint): number {
  buffer[at] = tag;
  return writeBigVarint(buffer, at + 1, value);
}

export function entrySize(entry: Entry): number {
  return 4 + varintSize(entry.term) + varintSize(entry.index) + bytesFieldSize(entry.data);
}

export function writeEntry(buffer: Uint8Array, at: number, entry: Entry): number {
  at = writeScalar(buffer, at, 0x08, entry.type);
  at = writeScalar(buffer, at, 0x10, entry.term);
  at = writeScalar(buffer, at, 0x18, entry.index);
  return writeBytesField(buffer, at, 0x22, entry.data);
}

export function encodeEntry(entry: Entry): Uint8Array {
  const buffer = new Uint8Array(entrySize(entry));
  return sealed(buffer, writeEntry(buffer, 0, entry));
}

/** `data` is a view into `bytes`. */
export function decodeEntry(bytes: Uint8Array): Entry {
  return readEntry(new Reader(bytes));
}

export function readEntry(reader: Reader): Entry {
  let type: number = EntryType.normal;
  let term = 0;
  let index = 0;
  let data = noBytes;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) type = reader.enum();
    else if (tag === 0x10) term = reader.safeUint();
    else if (tag === 0x18) index = reader.safeUint();
    else if (tag === 0x22) data = reader.bytesField();
    else reader.skip(tag);
  }
  if (type < EntryType.normal || type > EntryType.confChangeV2)
    throw new DecodeError("raftpb: unknown entry type");
  return { type: type as EntryType, term: term as Term, index: index as RaftIndex, data };
}

export function encodeHardState(state: HardState): Uint8Array {
  const size = 3 + varintSize(state.term) + bigVarintSize(state.vote) + varintSize(state.commit);
  const buffer = new Uint8Array(size);
  let at = writeScalar(buffer, 0, 0x08, state.term);
  at = writeBigScalar(buffer, at, 0x10, state.vote);
  return sealed(buffer, writeScalar(buffer, at, 0x18, state.commit));
}

export function decodeHardState(bytes: Uint8Array): HardState {
  return readHardState(new Reader(bytes));
}

export function readHardState(reader: Reader): HardState {
  let term = 0;
  let vote = 0n;
  let commit = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) term = reader.safeUint();
    else if (tag === 0x10) vote = reader.bigUint();
    else if (tag === 0x18) commit = reader.safeUint();
    else reader.skip(tag);
  }
  return { term: term as Term, vote: vote as MemberId, commit: commit as RaftIndex };
}

export function encodeConfState(conf: ConfState): Uint8Array {
  const buffer = new Uint8Array(confStateSize(conf));
  return sealed(buffer, writeConfState(buffer, 0, conf));
}

export function decodeConfState(bytes: Uint8Array): ConfState {
  return readConfState(new Reader(bytes));
}

function confStateSize(conf: ConfState): number {
  let size = 2;
  for (const list of [conf.voters, conf.learners, conf.votersOutgoing, conf.learnersNext]) {
    for (const id of list) size += 1 + bigVarintSize(id);
  }
  return size;
}

/** Lists are not packed: proto2's default. */
function writeConfState(buffer: Uint8Array, at: number, conf: ConfState): number {
  for (const id of conf.voters) at = writeBigScalar(buffer, at, 0x08, id);
  for (const id of conf.learners) at = writeBigScalar(buffer, at, 0x10, id);
  for (const id of conf.votersOutgoing) at = writeBigScalar(buffer, at, 0x18, id);
  for (const id of conf.learnersNext) at = writeBigScalar(buffer, at, 0x20, id);
  return writeScalar(buffer, at, 0x28, conf.autoLeave ? 1 : 0);
}

function readConfState(reader: Reader): ConfState {
  const lists: [MemberId[], MemberId[], MemberId[], MemberId[]] = [[], [], [], []];
  let autoLeave = false;
  while (reader.more()) {
    const tag = reader.tag();
    const list = lists[(tag >>> 3) - 1];
    if (list !== undefined && (tag & 7) === 0) {
      list.push(reader.bigUint() as MemberId);
    } else if (list !== undefined && (tag & 7) === 2) {
      const outer = reader.enter();
      while (reader.more()) list.push(reader.bigUint() as MemberId);
      reader.leave(outer);
    } else if (tag === 0x28) {
      autoLeave = reader.bool();
    } else {
      reader.skip(tag);
    }
  }
  const [voters, learners, votersOutgoing, learnersNext] = lists;
  return { voters, learners, votersOutgoing, learnersNext, autoLeave };
}

export function encodeSnapshotMark(mark: SnapshotMark): Uint8Array {
  const buffer = new Uint8Array(snapshotMarkSize(mark));
  return sealed(buffer, writeSnapshotMark(buffer, 0, mark));
}

export function decodeSnapshotMark(bytes: Uint8Array): SnapshotMark {
  return readSnapshotMark(new Reader(bytes));
}

function snapshotMarkSize(mark: SnapshotMark): number {
  return lengthFieldSize(confStateSize(mark.confState)) + 2 + varintSize(mark.index) + varintSize(mark.term);
}

function writeSnapshotMark(buffer: Uint8Array, at: number, mark: SnapshotMark): number {
  at = writeLength(buffer, at, 0x0a, confStateSize(mark.confState));
  at = writeConfState(buffer, at, mark.confState);
  at = writeScalar(buffer, at, 0x10, mark.index);
  return writeScalar(buffer, at, 0x18, mark.term);
}

export function readSnapshotMark(reader: Reader): SnapshotMark {
  let confState: ConfState | undefined;
  let index = 0;
  let term = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) {
      const outer = reader.enter();
      confState = readConfState(reader);
      reader.leave(outer);
    } else if (tag === 0x10) index = reader.safeUint();
    else if (tag === 0x18) term = reader.safeUint();
    else reader.skip(tag);
  }
  confState ??= readConfState(new Reader(noBytes));
  return { index: index as RaftIndex, term: term as Term, confState };
}

export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const buffer = new Uint8Array(snapshotSize(snapshot));
  return sealed(buffer, writeSnapshot(buffer, 0, snapshot));
}

export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  return readSnapshot(new Reader(bytes));
}

export function snapshotSize(snapshot: Snapshot): number {
  return bytesFieldSize(snapshot.data) + lengthFieldSize(snapshotMarkSize(snapshot.metadata));
}

export function writeSnapshot(buffer: Uint8Array, at: number, snapshot: Snapshot): number {
  at = writeBytesField(buffer, at, 0x0a, snapshot.data);
  at = writeLength(buffer, at, 0x12, snapshotMarkSize(snapshot.metadata));
  return writeSnapshotMark(buffer, at, snapshot.metadata);
}

export function readSnapshot(reader: Reader): Snapshot {
  let data = noBytes;
  let metadata: SnapshotMark | undefined;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) {
      data = reader.bytesField();
    } else if (tag === 0x12) {
      const outer = reader.enter();
      metadata = readSnapshotMark(reader);
      reader.leave(outer);
    } else {
      reader.skip(tag);
    }
  }
  metadata ??= decodeSnapshotMark(noBytes);
  return { data, metadata };
}

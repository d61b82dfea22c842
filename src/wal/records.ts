/**
 * The records inside a frame: a byte for the kind, the length as a varint, and the body, one after the other. A body
 * is a protobuf message (raftpb's own where there is one), so that tools can read it with etcd's definitions.
 */
import { DecodeError, Reader } from "../codec/protowire-read.ts";
import {
  bigVarintSize,
  varintSize,
  writeBigVarint,
  writeBytes,
  writeVarint,
} from "../codec/protowire-write.ts";
import type { MemberId, RaftIndex, Term } from "../lib/ids.ts";
import type { ConfState, Entry, HardState, SnapshotMark } from "../lib/raft-entry.ts";
import { EntryType } from "../lib/raft-entry.ts";

export const RecordKind = {
  /** The bytes of `WalOptions.metadata`. In the first frame of a segment. */
  metadata: 1,
  /** raftpb.Entry. */
  entry: 2,
  /** raftpb.HardState. */
  hardState: 3,
  /** raftpb.SnapshotMetadata. */
  snapshot: 4,
  /** { 1: index, 2: term } of the last entry in earlier segments. In the first frame of a segment. */
  position: 5,
  /** No record: the rest of the frame is filled with this byte. */
  end: 0xff,
} as const;

/** More than the kind, the length, and every field of an entry but the data take. */
export const entryOverheadBytes = 48;

/** Writes an entry record; `buffer` has `entryOverheadBytes + entry.data.length` bytes left. Gives the next position.
 * raftpb is proto2, and etcd sets the numbers also when they are zero. */
export function writeEntry(buffer: Uint8Array, at: number, entry: Entry): number {
  const { type, term, index, data } = entry;
  const dataBytes = data.length;
  let bodyBytes = 4 + varintSize(term) + varintSize(index);
  if (dataBytes > 0) bodyBytes += 1 + varintSize(dataBytes) + dataBytes;
  buffer[at] = RecordKind.entry;
  at = writeVarint(buffer, at + 1, bodyBytes);
  buffer[at] = 0x08;
  buffer[at + 1] = type;
  buffer[at + 2] = 0x10;
  at = writeVarint(buffer, at + 3, term);
  buffer[at] = 0x18;
  at = writeVarint(buffer, at + 1, index);
  if (dataBytes === 0) return at;
  buffer[at] = 0x22;
  at = writeVarint(buffer, at + 1, dataBytes);
  return writeBytes(buffer, at, data);
}

/** The whole record of bytes that mean something to the server only. */
export function metadataRecord(metadata: Uint8Array): Uint8Array {
  return record(RecordKind.metadata, metadata);
}

export function hardStateRecord({ term, vote, commit }: HardState): Uint8Array {
  const body = new Uint8Array(3 + varintSize(term) + bigVarintSize(vote) + varintSize(commit));
  body[0] = 0x08;
  let at = writeVarint(body, 1, term);
  body[at] = 0x10;
  at = writeBigVarint(body, at + 1, vote);
  body[at] = 0x18;
  writeVarint(body, at + 1, commit);
  return record(RecordKind.hardState, body);
}

export function snapshotRecord({ index, term, confState }: SnapshotMark): Uint8Array {
  const conf = confStateBody(confState);
  const body = new Uint8Array(
    1 + varintSize(conf.length) + conf.length + 2 + varintSize(index) + varintSize(term),
  );
  body[0] = 0x0a;
  let at = writeVarint(body, 1, conf.length);
  at = writeBytes(body, at, conf);
  body[at] = 0x10;
  at = writeVarint(body, at + 1, index);
  body[at] = 0x18;
  writeVarint(body, at + 1, term);
  return record(RecordKind.snapshot, body);
}

export function positionRecord(index: RaftIndex, term: Term): Uint8Array {
  const body = new Uint8Array(2 + varintSize(index) + varintSize(term));
  body[0] = 0x08;
  const at = writeVarint(body, 1, index);
  body[at] = 0x10;
  writeVarint(body, at + 1, term);
  return record(RecordKind.position, body);
}

function record(kind: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + varintSize(body.length) + body.length);
  bytes[0] = kind;
  writeBytes(bytes, writeVarint(bytes, 1, body.length), body);
  return bytes;
}

/** raftpb.ConfState with unpacked lists, as proto2 has them. */
function confStateBody(conf: ConfState): Uint8Array {
  const lists = [conf.voters, conf.learners, conf.votersOutgoing, conf.learnersNext];
  let size = 2;
  for (const list of lists) for (const id of list) size += 1 + bigVarintSize(id);
  const body = new Uint8Array(size);
  let at = 0;
  for (const [i, list] of lists.entries()) {
    for (const id of list) {
      body[at] = (i + 1) * 8;
      at = writeBigVarint(body, at + 1, id);
    }
  }
  body[at] = 0x28;
  body[at + 1] = conf.autoLeave ? 1 : 0;
  return body;
}

/** Where the records of a frame go. */
export interface RecordSink {
  metadata(metadata: Uint8Array): void;
  /** The entry's data are the bytes `from` to `to` of `payload`: most entries that a start reads are not kept, and
   * for those no object is made. */
  entry(type: EntryType, term: Term, index: RaftIndex, payload: Uint8Array, from: number, to: number): void;
  hardState(state: HardState): void;
  snapshot(mark: SnapshotMark): void;
  position(index: RaftIndex, term: Term): void;
}

/**
 * Reads the records in a frame's payload. Throws a `RecordError` for what is no record; since the frame's checksum was
 * right, that can only be a mistake of the program that wrote it.
 */
export function readRecords(payload: Uint8Array, sink: RecordSink): void {
  const reader = new Reader(payload);
  while (reader.more()) {
    const at = reader.at;
    const kind = payload[reader.at++]!;
    if (kind === RecordKind.end) return;
    try {
      // A record has the shape of a length-delimited protobuf field, so the reader's own bounds apply.
      const outerEnd = reader.enter();
      readRecord(kind, reader, sink);
      reader.leave(outerEnd);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new RecordError(at, `a record of kind ${kind} cannot be read (${error.message})`);
    }
  }
}

/** A record that cannot be understood, `at` bytes into the payload. */
export class RecordError extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.name = "RecordError";
    this.at = at;
  }
}

function readRecord(kind: number, reader: Reader, sink: RecordSink): void {
  if (kind === RecordKind.entry) readEntry(reader, sink);
  else if (kind === RecordKind.hardState) sink.hardState(readHardState(reader));
  else if (kind === RecordKind.snapshot) sink.snapshot(readSnapshotMark(reader));
  else if (kind === RecordKind.metadata) sink.metadata(readRest(reader));
  else if (kind === RecordKind.position) sink.position(...readPosition(reader));
  else throw new DecodeError("unknown kind");
}

/** A copy, because it outlives the segment. */
function readRest(reader: Reader): Uint8Array {
  const rest = reader.bytes.slice(reader.at, reader.end);
  reader.at = reader.end;
  return rest;
}

function readEntry(reader: Reader, sink: RecordSink): void {
  let type: EntryType = EntryType.normal;
  let term = 0;
  let index = 0;
  let from = reader.end;
  let to = reader.end;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) type = entryTypeOf(reader.uint());
    else if (tag === 0x10) term = reader.safeUint();
    else if (tag === 0x18) index = reader.safeUint();
    else if (tag === 0x22) {
      const outerEnd = reader.enter();
      from = reader.at;
      to = reader.end;
      reader.leave(outerEnd);
    } else reader.skip(tag);
  }
  sink.entry(type, term as Term, index as RaftIndex, reader.bytes, from, to);
}

function entryTypeOf(type: number): EntryType {
  if (type !== EntryType.normal && type !== EntryType.confChange && type !== EntryType.confChangeV2) {
    throw new DecodeError("unknown entry type");
  }
  return type;
}

function readHardState(reader: Reader): HardState {
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

function readSnapshotMark(reader: Reader): SnapshotMark {
  let confState: ConfState | undefined;
  let index = 0;
  let term = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) {
      const outerEnd = reader.enter();
      confState = readConfState(reader);
      reader.leave(outerEnd);
    } else if (tag === 0x10) index = reader.safeUint();
    else if (tag === 0x18) term = reader.safeUint();
    else reader.skip(tag);
  }
  if (confState === undefined) throw new DecodeError("no conf_state");
  return { index: index as RaftIndex, term: term as Term, confState };
}

function readConfState(reader: Reader): ConfState {
  const lists: [MemberId[], MemberId[], MemberId[], MemberId[]] = [[], [], [], []];
  let autoLeave = false;
  while (reader.more()) {
    const tag = reader.tag();
    const list = (tag & 7) === 0 ? lists[(tag >>> 3) - 1] : undefined;
    if (list) list.push(reader.bigUint() as MemberId);
    else if (tag === 0x28) autoLeave = reader.bool();
    else reader.skip(tag);
  }
  const [voters, learners, votersOutgoing, learnersNext] = lists;
  return { voters, learners, votersOutgoing, learnersNext, autoLeave };
}

function readPosition(reader: Reader): [RaftIndex, Term] {
  let index = 0;
  let term = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) index = reader.safeUint();
    else if (tag === 0x10) term = reader.safeUint();
    else reader.skip(tag);
  }
  return [index as RaftIndex, term as Term];
}

/**
 * The records inside a frame: a byte for the kind, the length as a varint, and the body, one after the other. A body
 * is a protobuf message (raftpb's own where there is one), so that tools can read it with etcd's definitions.
 */
import { DecodeError, Reader } from "../codec/protowire-read.ts";
import { varintSize, writeBytes, writeVarint } from "../codec/protowire-write.ts";
import { encodeHardState, encodeSnapshotMark, readHardState, readSnapshotMark } from "../codec/raft-log.ts";
import type { RaftIndex, Term } from "../lib/ids.ts";
import type { Entry, HardState, SnapshotMark } from "../lib/raft-entry.ts";
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

/** Writes an entry record; `buffer` has `entryOverheadBytes + entry.data.length` bytes left. Gives the next position. The
 * body is codec's, written here in one piece, because that is done for every write (0.13 us instead of 0.23). */
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

export function hardStateRecord(state: HardState): Uint8Array {
  return record(RecordKind.hardState, encodeHardState(state));
}

export function snapshotRecord(mark: SnapshotMark): Uint8Array {
  return record(RecordKind.snapshot, encodeSnapshotMark(mark));
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

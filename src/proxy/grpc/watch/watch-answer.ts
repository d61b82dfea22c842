/** WatchResponses of the servers behind the proxy, read as far as needed: events stay bytes. */
import { type HeaderFields, headerPrefix } from "../../../codec/header.ts";
import { noBytes, Reader } from "../../../codec/protowire-read.ts";
import { lengthFieldSize, writeLength } from "../../../codec/protowire-write.ts";

export interface UpstreamEvent {
  readonly modRevision: number;
  /** With tag and length, as it stands in the answer. */
  readonly bytes: Uint8Array;
}

export interface UpstreamAnswer {
  readonly header: HeaderFields;
  readonly watchId: bigint;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  /** In order of their revisions. */
  readonly events: readonly UpstreamEvent[];
}

export const noHeader: HeaderFields = { prefix: noBytes, revision: 0, raftTerm: 0 };

/** `editEvent` is given an event without its tag and length. Throws a DecodeError. */
export function readWatchAnswer(
  message: Uint8Array,
  editEvent?: (event: Uint8Array) => Uint8Array,
): UpstreamAnswer {
  const reader = new Reader(message);
  let header = noHeader;
  let watchId = 0n;
  let created = false;
  let canceled = false;
  let compactRevision = 0;
  let cancelReason = "";
  const events: UpstreamEvent[] = [];
  while (reader.more()) {
    const start = reader.at;
    const tag = reader.tag();
    if (tag === 0x0a) header = readHeader(reader);
    else if (tag === 0x10) watchId = reader.bigInt();
    else if (tag === 0x18) created = reader.bool();
    else if (tag === 0x20) canceled = reader.bool();
    else if (tag === 0x28) compactRevision = reader.int();
    else if (tag === 0x32) cancelReason = reader.string();
    else if (tag === 0x5a) events.push(readEvent(reader, start, editEvent));
    else reader.skip(tag);
  }
  return { header, watchId, created, canceled, compactRevision, cancelReason, events };
}

/** The header that an answer begins with; undefined without one. */
export function headerOf(message: Uint8Array): HeaderFields | undefined {
  const reader = new Reader(message);
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) return readHeader(reader);
    reader.skip(tag);
  }
  return undefined;
}

function readHeader(reader: Reader): HeaderFields {
  let clusterId = 0n;
  let memberId = 0n;
  let revision = 0;
  let raftTerm = 0;
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) clusterId = reader.bigUint();
    else if (tag === 0x10) memberId = reader.bigUint();
    else if (tag === 0x18) revision = reader.int();
    else if (tag === 0x20) raftTerm = reader.uint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { prefix: headerPrefix({ clusterId, memberId }), revision, raftTerm };
}

function readEvent(
  reader: Reader,
  start: number,
  editEvent: ((event: Uint8Array) => Uint8Array) | undefined,
): UpstreamEvent {
  const body = reader.bytesField();
  const modRevision = modRevisionOf(body);
  if (editEvent === undefined) return { modRevision, bytes: reader.bytes.subarray(start, reader.at) };
  const edited = editEvent(body);
  return { modRevision, bytes: withHead(edited) };
}

function modRevisionOf(event: Uint8Array): number {
  const reader = new Reader(event);
  let revision = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag !== 0x12) {
      reader.skip(tag);
      continue;
    }
    const outer = reader.enter();
    while (reader.more()) {
      const inner = reader.tag();
      if (inner === 0x18) revision = reader.int();
      else reader.skip(inner);
    }
    reader.leave(outer);
  }
  return revision;
}

function withHead(body: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(lengthFieldSize(body.length));
  const at = writeLength(buffer, 0, 0x5a, body.length);
  buffer.set(body, at);
  return buffer;
}

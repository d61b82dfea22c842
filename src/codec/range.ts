/**
 * RangeRequest, RangeResponse and RangeStreamResponse.
 *
 * A large answer can also be encoded while its rows are read: `encodeHeader`, any number of `encodeRangeRows`, and
 * `encodeRangeEnd`, one after the other, are one RangeResponse, and the sum of their lengths is its length.
 */
import type { Steps } from "../lib/steps.ts";
import { encodeHeader, type HeaderFields, headerSize, writeHeader } from "./header.ts";
import { rowsSize, writeRows } from "./key-value.ts";
import type { KeyValue, RangeRequest, RangeResponse } from "./kv.ts";
import type { Mutable } from "./mutable.ts";
import type { Parts } from "./parts.ts";
import { noBytes, Reader } from "./protowire-read.ts";
import {
  boolFieldSize,
  lengthFieldSize,
  numberFieldSize,
  sealed,
  writeBoolField,
  writeLength,
  writeNumberField,
} from "./protowire-write.ts";

const kvsTag = 0x12;

export function decodeRangeRequest(bytes: Uint8Array): RangeRequest {
  return readRangeRequest(new Reader(bytes), emptyRangeRequest());
}

export function emptyRangeRequest(): RangeRequest {
  return {
    key: noBytes,
    rangeEnd: noBytes,
    limit: 0,
    revision: 0,
    sortOrder: 0,
    sortTarget: 0,
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  };
}

export function readRangeRequest(reader: Reader, into: RangeRequest): RangeRequest {
  const range: Mutable<RangeRequest> = into;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) range.key = reader.bytesField();
    else if (tag === 0x12) range.rangeEnd = reader.bytesField();
    else if (tag === 0x18) range.limit = reader.int();
    else if (tag === 0x20) range.revision = reader.int();
    else if (tag === 0x28) range.sortOrder = reader.enum();
    else if (tag === 0x30) range.sortTarget = reader.enum();
    else if (tag === 0x38) range.serializable = reader.bool();
    else if (tag === 0x40) range.keysOnly = reader.bool();
    else if (tag === 0x48) range.countOnly = reader.bool();
    else if (tag === 0x50) range.minModRevision = reader.int();
    else if (tag === 0x58) range.maxModRevision = reader.int();
    else if (tag === 0x60) range.minCreateRevision = reader.int();
    else if (tag === 0x68) range.maxCreateRevision = reader.int();
    else reader.skip(tag);
  }
  return range;
}

/** A whole answer in one buffer: for few rows. */
export function encodeRangeResponse(header: HeaderFields, response: RangeResponse): Uint8Array {
  const buffer = new Uint8Array(rangeResponseSize(header, response));
  return sealed(buffer, writeRangeResponse(buffer, 0, header, response));
}

export function rangeResponseSize(header: HeaderFields, response: RangeResponse): number {
  return headerSize(header) + rowsSize(response.kvs) + rangeEndSize(response);
}

export function writeRangeResponse(
  buffer: Uint8Array,
  at: number,
  header: HeaderFields,
  response: RangeResponse,
): number {
  at = writeHeader(buffer, at, header);
  at = writeRows(buffer, at, kvsTag, response.kvs);
  return writeRangeEnd(buffer, at, response);
}

type RangeEnd = Pick<RangeResponse, "more" | "count">;

function rangeEndSize(end: RangeEnd): number {
  return boolFieldSize(end.more) + numberFieldSize(end.count);
}

function writeRangeEnd(buffer: Uint8Array, at: number, end: RangeEnd): number {
  return writeNumberField(buffer, writeBoolField(buffer, at, 0x18, end.more), 0x20, end.count);
}

export function* rangeParts(parts: Parts, header: HeaderFields, response: RangeResponse): Steps<void> {
  parts.push(encodeHeader(header));
  yield* parts.rows(kvsTag, response.kvs);
  parts.push(encodeRangeEnd(response));
}

/** A part with some of the rows. */
export function encodeRangeRows(kvs: readonly KeyValue[]): Uint8Array {
  const buffer = new Uint8Array(rowsSize(kvs));
  return sealed(buffer, writeRows(buffer, 0, kvsTag, kvs));
}

/** The last part. Empty if there are no rows, but still the last part. */
export function encodeRangeEnd(end: RangeEnd): Uint8Array {
  const buffer = new Uint8Array(rangeEndSize(end));
  return sealed(buffer, writeRangeEnd(buffer, 0, end));
}

/** A RangeStreamResponse with rows: all messages of the stream but the last. */
export function encodeRangeStreamRows(kvs: readonly KeyValue[]): Uint8Array {
  const size = rowsSize(kvs);
  const buffer = new Uint8Array(lengthFieldSize(size));
  return sealed(buffer, writeRows(buffer, writeLength(buffer, 0, 0x0a, size), kvsTag, kvs));
}

/** The last RangeStreamResponse: header, more and count, and rows if `response` has any. */
export function encodeRangeStreamEnd(header: HeaderFields, response: RangeResponse): Uint8Array {
  const size = rangeResponseSize(header, response);
  const buffer = new Uint8Array(lengthFieldSize(size));
  const at = writeLength(buffer, 0, 0x0a, size);
  return sealed(buffer, writeRangeResponse(buffer, at, header, response));
}

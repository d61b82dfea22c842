/** DeleteRangeRequest and DeleteRangeResponse. */
import type { Steps } from "../lib/steps.ts";
import { type HeaderFields, headerSize, writeHeader } from "./header.ts";
import { rowsSize, writeRows } from "./key-value.ts";
import type { DeleteRangeRequest, DeleteRangeResponse } from "./kv.ts";
import type { Mutable } from "./mutable.ts";
import { Parts, rowsWeight, weightAtOnce } from "./parts.ts";
import { noBytes, Reader } from "./protowire-read.ts";
import { numberFieldSize, sealed, writeNumberField } from "./protowire-write.ts";

const prevKvsTag = 0x1a;

export function decodeDeleteRangeRequest(bytes: Uint8Array): DeleteRangeRequest {
  return readDeleteRangeRequest(new Reader(bytes), emptyDeleteRangeRequest());
}

export function emptyDeleteRangeRequest(): DeleteRangeRequest {
  return { key: noBytes, rangeEnd: noBytes, prevKv: false };
}

export function readDeleteRangeRequest(reader: Reader, into: DeleteRangeRequest): DeleteRangeRequest {
  const request: Mutable<DeleteRangeRequest> = into;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) request.key = reader.bytesField();
    else if (tag === 0x12) request.rangeEnd = reader.bytesField();
    else if (tag === 0x18) request.prevKv = reader.bool();
    else reader.skip(tag);
  }
  return request;
}

export function encodeDeleteRangeResponse(header: HeaderFields, response: DeleteRangeResponse): Uint8Array {
  const buffer = new Uint8Array(deleteRangeResponseSize(header, response));
  return sealed(buffer, writeDeleteRangeResponse(buffer, 0, header, response));
}

export function deleteRangeResponseSize(header: HeaderFields, response: DeleteRangeResponse): number {
  return headerSize(header) + numberFieldSize(response.deleted) + rowsSize(response.prevKvs);
}

export function writeDeleteRangeResponse(
  buffer: Uint8Array,
  at: number,
  header: HeaderFields,
  response: DeleteRangeResponse,
): number {
  at = writeHeader(buffer, at, header);
  at = writeNumberField(buffer, at, 0x10, response.deleted);
  return writeRows(buffer, at, prevKvsTag, response.prevKvs);
}

/** The answer in as many parts and steps as its rows want; a small one is one part after no step. */
export function* encodeDeleteRangeResponseParts(
  header: HeaderFields,
  response: DeleteRangeResponse,
): Steps<Uint8Array[]> {
  if (rowsWeight(response.prevKvs) <= weightAtOnce) return [encodeDeleteRangeResponse(header, response)];
  const parts = new Parts();
  yield* deleteRangeParts(parts, header, response);
  return parts.buffers;
}

export function* deleteRangeParts(
  parts: Parts,
  header: HeaderFields,
  response: DeleteRangeResponse,
): Steps<void> {
  // All before the rows is the answer without any.
  parts.push(encodeDeleteRangeResponse(header, { deleted: response.deleted, prevKvs: [] }));
  yield* parts.rows(prevKvsTag, response.prevKvs);
}

/** PutRequest and PutResponse. */
import type { LeaseId } from "../lib/ids.ts";
import { type HeaderFields, headerSize, writeHeader } from "./header.ts";
import { keyValueFieldSize, writeKeyValueField } from "./key-value.ts";
import type { PutRequest, PutResponse } from "./kv.ts";
import type { Mutable } from "./mutable.ts";
import { noBytes, Reader } from "./protowire-read.ts";
import { sealed } from "./protowire-write.ts";

export function decodePutRequest(bytes: Uint8Array): PutRequest {
  return readPutRequest(new Reader(bytes), emptyPutRequest());
}

export function emptyPutRequest(): PutRequest {
  return {
    key: noBytes,
    value: noBytes,
    lease: 0n as LeaseId,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  };
}

/** Reads fields into `into`, which is how Protobuf merges a message that comes twice. */
export function readPutRequest(reader: Reader, into: PutRequest): PutRequest {
  const put: Mutable<PutRequest> = into;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) put.key = reader.bytesField();
    else if (tag === 0x12) put.value = reader.bytesField();
    else if (tag === 0x18) put.lease = reader.bigInt() as LeaseId;
    else if (tag === 0x20) put.prevKv = reader.bool();
    else if (tag === 0x28) put.ignoreValue = reader.bool();
    else if (tag === 0x30) put.ignoreLease = reader.bool();
    else reader.skip(tag);
  }
  return put;
}

export function encodePutResponse(header: HeaderFields, response: PutResponse): Uint8Array {
  const buffer = new Uint8Array(putResponseSize(header, response));
  return sealed(buffer, writePutResponse(buffer, 0, header, response));
}

export function putResponseSize(header: HeaderFields, response: PutResponse): number {
  return headerSize(header) + (response.prevKv === undefined ? 0 : keyValueFieldSize(response.prevKv));
}

export function writePutResponse(
  buffer: Uint8Array,
  at: number,
  header: HeaderFields,
  response: PutResponse,
): number {
  at = writeHeader(buffer, at, header);
  return response.prevKv === undefined ? at : writeKeyValueField(buffer, at, 0x12, response.prevKv);
}

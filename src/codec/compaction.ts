/** CompactionRequest. (CompactionResponse is a header and no more: `encodeHeader`.) */
import type { CompactionRequest } from "./kv.ts";
import type { Mutable } from "./mutable.ts";
import { Reader } from "./protowire-read.ts";

export function decodeCompactionRequest(bytes: Uint8Array): CompactionRequest {
  return readCompactionRequest(new Reader(bytes), emptyCompactionRequest());
}

export function emptyCompactionRequest(): CompactionRequest {
  return { revision: 0, physical: false };
}

export function readCompactionRequest(reader: Reader, into: CompactionRequest): CompactionRequest {
  const request: Mutable<CompactionRequest> = into;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) request.revision = reader.int();
    else if (tag === 0x10) request.physical = reader.bool();
    else reader.skip(tag);
  }
  return request;
}

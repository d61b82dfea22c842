import type { HeaderList } from "../../hpack/decoder.ts";
import { HpackError } from "../../hpack/hpack-error.ts";
import type { Http2Connection } from "../connection.ts";
import {
  ConnectionError,
  ErrorCode,
  flagEndHeaders,
  flagEndStream,
  flagPadded,
  flagPriority,
  StreamError,
} from "../protocol.ts";
import { checkTrailers, type RequestHead } from "../request-head.ts";
import { readUint32 } from "./read-uint32.ts";

/** A header block whose CONTINUATIONs are still to come. */
export interface HeaderAssembly {
  readonly streamId: number;
  readonly isEnd: boolean;
  readonly dependsOnItself: boolean;
  block: Buffer;
  frames: number;
}

/** HEADERS (6.2). */
export function onHeaders(
  connection: Http2Connection,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (streamId === 0) throw new ConnectionError(ErrorCode.protocolError, "HEADERS on stream 0");
  if (flags & flagPadded) {
    const padding = start < end ? bytes[start]! : 1;
    start++;
    end -= padding;
  }
  let dependsOnItself = false;
  if (flags & flagPriority) {
    if (end - start >= 5) dependsOnItself = (readUint32(bytes, start) & 0x7fffffff) === streamId;
    start += 5;
  }
  if (start > end) throw new ConnectionError(ErrorCode.protocolError, "padding longer than its frame");
  const isEnd = (flags & flagEndStream) !== 0;
  if (flags & flagEndHeaders) {
    onBlock(connection, streamId, isEnd, dependsOnItself, bytes, start, end);
    return;
  }
  const block = Buffer.from(bytes.subarray(start, end));
  connection.assembly = { streamId, isEnd, dependsOnItself, block, frames: 0 };
}

/** CONTINUATION (6.10). The connection has checked that nothing else came between. */
export function onContinuation(
  connection: Http2Connection,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  const { assembly, limits } = connection;
  if (assembly === undefined || assembly.streamId !== streamId) {
    throw new ConnectionError(ErrorCode.protocolError, "CONTINUATION without HEADERS");
  }
  if (++assembly.frames > limits.maxContinuations) {
    throw new ConnectionError(ErrorCode.enhanceYourCalm, "too many CONTINUATION frames");
  }
  if (assembly.block.length + end - start > limits.maxHeaderBlockBytes) {
    throw new ConnectionError(ErrorCode.enhanceYourCalm, "header block too large");
  }
  assembly.block = Buffer.concat([assembly.block, bytes.subarray(start, end)]);
  if (!(flags & flagEndHeaders)) return;
  connection.assembly = undefined;
  const { block, isEnd, dependsOnItself } = assembly;
  onBlock(connection, streamId, isEnd, dependsOnItself, block, 0, block.length);
}

/** A whole header block: a new request, or trailers. */
function onBlock(
  connection: Http2Connection,
  streamId: number,
  isEnd: boolean,
  dependsOnItself: boolean,
  block: Buffer,
  start: number,
  end: number,
): void {
  if (streamId > connection.lastStreamId && (streamId & 1) === 1) {
    connection.lastStreamId = streamId;
    const head = readHead(connection, streamId, block, start, end);
    if (dependsOnItself) throw new StreamError(streamId, ErrorCode.protocolError, "stream depends on itself");
    if (isEnd && head.contentLength > 0) {
      throw new StreamError(streamId, ErrorCode.protocolError, "no DATA but a content-length");
    }
    connection.openStream(streamId, head, isEnd);
    return;
  }
  const list = decode(connection, block, start, end);
  const stream = connection.streams.get(streamId);
  if (stream === undefined) {
    connection.onLateFrame(streamId, "HEADERS");
    return;
  }
  if (stream.remoteClosed)
    throw new StreamError(streamId, ErrorCode.streamClosed, "HEADERS after END_STREAM");
  if (!isEnd) throw new StreamError(streamId, ErrorCode.protocolError, "trailers without END_STREAM");
  if (list.truncated) throw tooLarge(streamId);
  checkTrailers(streamId, list.fields);
  const { contentLength } = stream.head;
  if (contentLength >= 0 && stream.receivedBytes !== contentLength) {
    throw new StreamError(streamId, ErrorCode.protocolError, "DATA does not add up to content-length");
  }
  stream.remoteClosed = true;
  stream.onTrailers(list.fields);
  connection.onRemoteEnd(stream);
}

/** The head of a request: from the cache if this very block has been seen, otherwise decoded and checked. */
function readHead(
  connection: Http2Connection,
  streamId: number,
  block: Buffer,
  start: number,
  end: number,
): RequestHead {
  const { cache } = connection;
  const { table } = connection.hpack;
  const generation = table.generation;
  const isWatched = connection.environment.onFields !== undefined;
  const known = isWatched ? undefined : cache.find(block, start, end, generation);
  if (known !== undefined) return known;
  const list = decode(connection, block, start, end);
  if (list.truncated) throw tooLarge(streamId);
  const head = connection.heads.read(streamId, list.fields);
  if (table.generation === generation && !isWatched) cache.keep(block, start, end, generation, head);
  return head;
}

function decode(connection: Http2Connection, block: Buffer, start: number, end: number): HeaderList {
  try {
    const list = connection.hpack.decode(block, start, end);
    connection.environment.onFields?.(list.fields);
    return list;
  } catch (cause) {
    if (!(cause instanceof HpackError)) throw cause;
    throw new ConnectionError(ErrorCode.compressionError, cause.message);
  }
}

/** grpc-go answers a header list over its limit like this. */
function tooLarge(streamId: number): StreamError {
  return new StreamError(streamId, ErrorCode.frameSizeError, "header list too large");
}

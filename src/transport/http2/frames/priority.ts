import type { Http2Connection } from "../connection.ts";
import { ConnectionError, ErrorCode, StreamError } from "../protocol.ts";
import { readUint32 } from "./read-uint32.ts";

/** PRIORITY (6.3): deprecated and without effect, but still checked. */
export function onPriority(
  _connection: Http2Connection,
  _flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (streamId === 0) throw new ConnectionError(ErrorCode.protocolError, "PRIORITY on stream 0");
  if (end - start !== 5)
    throw new StreamError(streamId, ErrorCode.frameSizeError, "PRIORITY of a bad length");
  if ((readUint32(bytes, start) & 0x7fffffff) === streamId) {
    throw new StreamError(streamId, ErrorCode.protocolError, "stream depends on itself");
  }
}

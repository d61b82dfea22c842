import type { Http2Connection } from "../connection.ts";
import { ConnectionError, ErrorCode } from "../protocol.ts";
import { readUint32 } from "./read-uint32.ts";

/** RST_STREAM (6.4). */
export function onRstStream(
  connection: Http2Connection,
  _flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (streamId === 0) throw new ConnectionError(ErrorCode.protocolError, "RST_STREAM on stream 0");
  if (end - start !== 4) throw new ConnectionError(ErrorCode.frameSizeError, "RST_STREAM of a bad length");
  const stream = connection.streams.get(streamId);
  if (stream === undefined) {
    connection.checkNotIdle(streamId, "RST_STREAM");
    connection.guard.onControlFrame(connection.input.lastReadMs);
    return;
  }
  connection.onPeerReset(stream, readUint32(bytes, start) as ErrorCode);
}

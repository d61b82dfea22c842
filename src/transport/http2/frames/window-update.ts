import type { Http2Connection } from "../connection.ts";
import { ConnectionError, ErrorCode, maxWindow, StreamError } from "../protocol.ts";
import { readUint32 } from "./read-uint32.ts";

/** WINDOW_UPDATE (6.9). */
export function onWindowUpdate(
  connection: Http2Connection,
  _flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (end - start !== 4) throw new ConnectionError(ErrorCode.frameSizeError, "WINDOW_UPDATE of a bad length");
  const increment = readUint32(bytes, start) & 0x7fffffff;
  if (streamId === 0) {
    if (increment === 0) throw new ConnectionError(ErrorCode.protocolError, "WINDOW_UPDATE of 0");
    connection.sending.window += increment;
    if (connection.sending.window > maxWindow) {
      throw new ConnectionError(ErrorCode.flowControlError, "connection window too large");
    }
    connection.requestFlush();
    return;
  }
  const stream = connection.streams.get(streamId);
  if (stream === undefined) {
    connection.checkNotIdle(streamId, "WINDOW_UPDATE");
    return;
  }
  if (increment === 0) throw new StreamError(streamId, ErrorCode.protocolError, "WINDOW_UPDATE of 0");
  stream.sendWindow += increment;
  if (stream.sendWindow > maxWindow) {
    throw new StreamError(streamId, ErrorCode.flowControlError, "stream window too large");
  }
  connection.schedule(stream);
}

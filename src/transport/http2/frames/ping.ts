import type { Http2Connection } from "../connection.ts";
import { ConnectionError, ErrorCode, flagAck } from "../protocol.ts";

/** PING (6.7). */
export function onPing(
  connection: Http2Connection,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (streamId !== 0) throw new ConnectionError(ErrorCode.protocolError, "PING on a stream");
  if (end - start !== 8) throw new ConnectionError(ErrorCode.frameSizeError, "PING of a bad length");
  if (flags & flagAck) {
    connection.onPingAnswer(bytes, start);
    return;
  }
  connection.guard.onAck();
  connection.frames.ping(bytes, start, true);
  connection.keepalive.onPing(connection.input.lastReadMs);
}

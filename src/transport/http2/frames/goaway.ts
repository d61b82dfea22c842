import type { Http2Connection } from "../connection.ts";
import { ConnectionError, ErrorCode } from "../protocol.ts";

/** GOAWAY (6.8): the client will take no pushed streams, of which there are none. Open calls go on. */
export function onGoaway(
  _connection: Http2Connection,
  _flags: number,
  streamId: number,
  _bytes: Buffer,
  start: number,
  end: number,
): void {
  if (streamId !== 0) throw new ConnectionError(ErrorCode.protocolError, "GOAWAY on a stream");
  if (end - start < 8) throw new ConnectionError(ErrorCode.frameSizeError, "GOAWAY of a bad length");
}

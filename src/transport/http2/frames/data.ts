import type { Http2Connection } from "../connection.ts";
import { ConnectionError, ErrorCode, flagEndStream, flagPadded, StreamError } from "../protocol.ts";

/** DATA (6.1). */
export function onData(
  connection: Http2Connection,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (streamId === 0) throw new ConnectionError(ErrorCode.protocolError, "DATA on stream 0");
  const frameBytes = end - start;
  connection.creditReceived(frameBytes);
  if (flags & flagPadded) {
    const padding = start < end ? bytes[start]! + 1 : 1;
    if (padding > frameBytes)
      throw new ConnectionError(ErrorCode.protocolError, "padding longer than its frame");
    start++;
    end -= padding - 1;
  }
  const stream = connection.streams.get(streamId);
  if (stream === undefined) {
    connection.onLateFrame(streamId, "DATA");
    return;
  }
  if (stream.remoteClosed) throw new StreamError(streamId, ErrorCode.streamClosed, "DATA after END_STREAM");
  if (frameBytes > stream.receiveWindow) {
    throw new StreamError(streamId, ErrorCode.flowControlError, "more DATA than the stream's window");
  }
  stream.receiveWindow -= frameBytes;
  const isEnd = (flags & flagEndStream) !== 0;
  const bodyBytes = end - start;
  if (bodyBytes === 0 && !isEnd) connection.guard.onEmptyFrame();
  else connection.guard.onUsefulFrame();
  if (frameBytes > bodyBytes) stream.consume(frameBytes - bodyBytes);
  stream.receivedBytes += bodyBytes;
  const { contentLength } = stream.head;
  if (
    contentLength >= 0 &&
    (isEnd ? stream.receivedBytes !== contentLength : stream.receivedBytes > contentLength)
  ) {
    throw new StreamError(streamId, ErrorCode.protocolError, "DATA does not add up to content-length");
  }
  if (isEnd) stream.remoteClosed = true;
  if (bodyBytes > 0) stream.onData(bytes, start, end);
  if (isEnd) connection.onRemoteEnd(stream);
}

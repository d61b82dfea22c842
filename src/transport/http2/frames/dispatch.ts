import type { Http2Connection } from "../connection.ts";
import {
  ConnectionError,
  ErrorCode,
  frameContinuation,
  frameData,
  frameGoaway,
  frameHeaders,
  framePing,
  framePriority,
  framePushPromise,
  frameRstStream,
  frameSettings,
  frameWindowUpdate,
} from "../protocol.ts";
import { onData } from "./data.ts";
import { onGoaway } from "./goaway.ts";
import { onContinuation, onHeaders } from "./headers.ts";
import { onPing } from "./ping.ts";
import { onPriority } from "./priority.ts";
import { onRstStream } from "./rst-stream.ts";
import { onSettings } from "./settings.ts";
import { onWindowUpdate } from "./window-update.ts";

/** Hands a frame to its handler, after the rules that hold for all of them. */
export function dispatchFrame(
  connection: Http2Connection,
  type: number,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (connection.assembly !== undefined && type !== frameContinuation) {
    throw new ConnectionError(ErrorCode.protocolError, "a frame in the middle of a header block");
  }
  if (!connection.input.preface.isDone) connection.input.preface.onFirstFrame(type, flags);
  switch (type) {
    case frameData:
      onData(connection, flags, streamId, bytes, start, end);
      return;
    case frameHeaders:
      onHeaders(connection, flags, streamId, bytes, start, end);
      return;
    case frameContinuation:
      onContinuation(connection, flags, streamId, bytes, start, end);
      return;
    case frameRstStream:
      onRstStream(connection, flags, streamId, bytes, start, end);
      return;
    case framePushPromise:
      throw new ConnectionError(ErrorCode.protocolError, "PUSH_PROMISE from a client");
    case frameGoaway:
      onGoaway(connection, flags, streamId, bytes, start, end);
      return;
    default:
      break;
  }
  // The rest can be had without a request.
  connection.guard.onControlFrame(connection.input.lastReadMs);
  switch (type) {
    case frameWindowUpdate:
      onWindowUpdate(connection, flags, streamId, bytes, start, end);
      return;
    case frameSettings:
      onSettings(connection, flags, streamId, bytes, start, end);
      return;
    case framePing:
      onPing(connection, flags, streamId, bytes, start, end);
      return;
    case framePriority:
      onPriority(connection, flags, streamId, bytes, start, end);
      return;
    default:
      // 5.5: unknown types are ignored.
      return;
  }
}

import type { Http2Connection } from "../connection.ts";
import {
  ConnectionError,
  defaultMaxFrameBytes,
  ErrorCode,
  flagAck,
  largestMaxFrameBytes,
  maxWindow,
  settingEnablePush,
  settingHeaderTableSize,
  settingInitialWindowSize,
  settingMaxFrameSize,
} from "../protocol.ts";
import { readUint32 } from "./read-uint32.ts";

/** SETTINGS (6.5). */
export function onSettings(
  connection: Http2Connection,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (streamId !== 0) throw new ConnectionError(ErrorCode.protocolError, "SETTINGS on a stream");
  if (flags & flagAck) {
    if (end !== start) throw new ConnectionError(ErrorCode.frameSizeError, "SETTINGS answer with a payload");
    return;
  }
  if ((end - start) % 6 !== 0)
    throw new ConnectionError(ErrorCode.frameSizeError, "SETTINGS of a bad length");
  // The last one counts. A frame has room for thousands, and each would go over all open streams.
  let initialWindow = connection.peerInitialWindow;
  for (let at = start; at < end; at += 6) {
    const id = (bytes[at]! << 8) | bytes[at + 1]!;
    const value = readUint32(bytes, at + 2);
    if (id === settingInitialWindowSize) initialWindow = checkedWindow(value);
    else apply(connection, id, value);
  }
  setInitialWindow(connection, initialWindow);
  connection.guard.onAck();
  connection.frames.settingsAck();
}

function apply(connection: Http2Connection, id: number, value: number): void {
  switch (id) {
    case settingHeaderTableSize:
      connection.onPeerHeaderTable(value);
      return;
    case settingEnablePush:
      if (value > 1) throw new ConnectionError(ErrorCode.protocolError, "ENABLE_PUSH is neither 0 nor 1");
      return;
    case settingMaxFrameSize:
      // Our frames never get larger than what every peer has to accept, so the value needs no keeping.
      if (value < defaultMaxFrameBytes || value > largestMaxFrameBytes) {
        throw new ConnectionError(ErrorCode.protocolError, "MAX_FRAME_SIZE out of range");
      }
      return;
    default:
      return;
  }
}

function checkedWindow(value: number): number {
  if (value <= maxWindow) return value;
  throw new ConnectionError(ErrorCode.flowControlError, "INITIAL_WINDOW_SIZE too large");
}

/** 6.9.2: a change moves the windows of all open streams, possibly below zero. */
function setInitialWindow(connection: Http2Connection, value: number): void {
  const change = value - connection.peerInitialWindow;
  connection.peerInitialWindow = value;
  if (change === 0) return;
  for (const stream of connection.streams.values()) {
    stream.sendWindow += change;
    if (stream.sendWindow > maxWindow) {
      throw new ConnectionError(ErrorCode.flowControlError, "INITIAL_WINDOW_SIZE makes a window too large");
    }
    if (change > 0) connection.schedule(stream);
  }
}

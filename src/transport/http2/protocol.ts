/** Names and numbers of RFC 9113. Plain constants, because the framing loop looks at them for every frame. */

export const frameData = 0x0;
export const frameHeaders = 0x1;
export const framePriority = 0x2;
export const frameRstStream = 0x3;
export const frameSettings = 0x4;
export const framePushPromise = 0x5;
export const framePing = 0x6;
export const frameGoaway = 0x7;
export const frameWindowUpdate = 0x8;
export const frameContinuation = 0x9;

export const flagEndStream = 0x1;
/** SETTINGS and PING. */
export const flagAck = 0x1;
export const flagEndHeaders = 0x4;
export const flagPadded = 0x8;
export const flagPriority = 0x20;

export const frameHeaderBytes = 9;

export const settingHeaderTableSize = 0x1;
export const settingEnablePush = 0x2;
export const settingMaxConcurrentStreams = 0x3;
export const settingInitialWindowSize = 0x4;
export const settingMaxFrameSize = 0x5;
export const settingMaxHeaderListSize = 0x6;

/** What holds before a SETTINGS frame says otherwise (6.5.2). */
export const defaultInitialWindow = 65_535;
export const defaultMaxFrameBytes = 16_384;
export const largestMaxFrameBytes = 0xffffff;
export const defaultHeaderTableBytes = 4_096;
/** No flow-control window may grow past this (6.9.1). */
export const maxWindow = 0x7fffffff;
export const maxStreamId = 0x7fffffff;

/** Section 7. */
export const ErrorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** What a client sends first (3.4). */
export const clientPreface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Ends the connection: GOAWAY with `code`, then the socket closes (5.4.1). */
export class ConnectionError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = "ConnectionError";
    this.code = code;
  }
}

/** Ends one stream: RST_STREAM with `code` (5.4.2). */
export class StreamError extends Error {
  readonly code: ErrorCode;
  readonly streamId: number;

  constructor(streamId: number, code: ErrorCode, message: string) {
    super(message);
    this.name = "StreamError";
    this.code = code;
    this.streamId = streamId;
  }
}

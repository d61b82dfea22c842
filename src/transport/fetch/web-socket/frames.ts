/** Frames of WebSockets (RFC 6455, 5.2), as far as both directions share them. */

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** Why a connection is closed (RFC 6455, 7.4.1). */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  tooBig: 1009,
  internalError: 1011,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** The longest payload of a control frame. */
export const controlBytesMax = 125;

/** One frame from a server: without a mask. */
export function encodeFrame(opcode: Opcode, parts: readonly Uint8Array[], isLast = true): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const headBytes = length < 126 ? 2 : length < 0x10000 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headBytes + length);
  frame[0] = opcode | (isLast ? 0x80 : 0);
  if (headBytes === 2) frame[1] = length;
  else if (headBytes === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  let at = headBytes;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** A close frame. Of `reason` no more is sent than there is room for. */
export function encodeClose(code: number | undefined, reason = ""): Buffer {
  if (code === undefined) return encodeFrame(Opcode.close, []);
  const number = Buffer.of(code >> 8, code & 0xff);
  return encodeFrame(Opcode.close, [number, Buffer.from(reason, "latin1").subarray(0, controlBytesMax - 2)]);
}

import { putFrameHeader, putUint32 } from "../http2/frame-writer.ts";
import {
  flagEndHeaders,
  flagEndStream,
  frameData,
  frameHeaderBytes,
  frameHeaders,
} from "../http2/protocol.ts";
import { messagePrefixBytes } from "./deframer.ts";
import type { ResponseBlocks } from "./response-blocks.ts";

/** What a whole small answer takes besides its message: three frame headers, header blocks of 2 and 1 octets, and
 * the message's prefix. */
export const smallAnswerOverhead = 3 * frameHeaderBytes + 3 + messagePrefixBytes;

/** Writes a message with its prefix; returns the end. */
export function putMessage(bytes: Uint8Array, at: number, message: Uint8Array): number {
  bytes[at] = 0;
  const body = putUint32(bytes, at + 1, message.length);
  bytes.set(message, body);
  return body + message.length;
}

/**
 * Writes a whole answer: HEADERS, DATA, and HEADERS again with the status. Needs steady `blocks`, and a message that
 * fits one frame. This is what nearly every call ends in.
 */
export function putSmallAnswer(
  bytes: Uint8Array,
  at: number,
  streamId: number,
  message: Uint8Array,
  blocks: ResponseBlocks,
): number {
  at = putFrameHeader(bytes, at, 2, frameHeaders, flagEndHeaders, streamId);
  bytes[at] = 0x88;
  bytes[at + 1] = 0x80 | blocks.headersIndex;
  at = putFrameHeader(bytes, at + 2, message.length + messagePrefixBytes, frameData, 0, streamId);
  at = putMessage(bytes, at, message);
  at = putFrameHeader(bytes, at, 1, frameHeaders, flagEndHeaders | flagEndStream, streamId);
  bytes[at] = 0x80 | blocks.trailersIndex;
  return at + 1;
}

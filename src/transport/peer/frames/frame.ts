/** What the two kinds of stream have in common. */
import type { RaftIndex } from "../../../lib/ids.ts";
import { type Message, MessageType, makeMessage } from "../../../lib/raft-message.ts";

/** A peer sends what is no frame, or one beyond the limits. The connection has to end: nothing after it can be read. */
export class FrameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FrameError";
  }
}

export interface FrameLimits {
  /** Bytes of one message. */
  readonly messageBytes: number;
  /** Entries of one message: each costs memory beyond its bytes. */
  readonly messageEntries: number;
}

/** Messages out of a stream's bytes. */
export interface FrameDecoder {
  /** Adds the messages that `bytes` completes to `into`. Throws FrameError. Views into `bytes` may be kept. */
  push(bytes: Uint8Array, into: Message[]): void;
}

/**
 * Messages into a stream's bytes, several to a buffer: each `add` gives the size of its frame, and `write` writes the
 * frames added since the last one. What the frames look like may depend on all that were added before.
 */
export interface FrameEncoder {
  add(message: Message): number;
  write(buffer: Uint8Array, at: number): number;
}

/** Keeps a stream alive. No message of Raft looks like it, because those have a sender. */
export const linkHeartbeat: Message = makeMessage({ type: MessageType.heartbeat });

export function isLinkHeartbeat(message: Message): boolean {
  return message.type === MessageType.heartbeat && message.from === 0n && message.to === 0n;
}

const two32 = 0x1_0000_0000;

export function writeUint64(buffer: Uint8Array, at: number, value: number): number {
  let high = Math.floor(value / two32);
  let low = value % two32;
  for (let i = 3; i >= 0; i--) {
    buffer[at + i] = high & 0xff;
    high = Math.floor(high / 256);
    buffer[at + 4 + i] = low & 0xff;
    low = Math.floor(low / 256);
  }
  return at + 8;
}

/**
 * Throws FrameError for a message that no correct member sends and that the core would take for a broken invariant of
 * its own: entries that do not follow each other, a snapshot of nothing.
 */
export function checkMessage(message: Message): void {
  const { entries, snapshot } = message;
  if (message.type === MessageType.snap) {
    if (snapshot === undefined || snapshot.metadata.index === 0 || snapshot.metadata.term === 0) {
      throw new FrameError("MsgSnap without a snapshot");
    }
  } else if (message.type === MessageType.app) {
    let term = message.logTerm;
    let index = message.index;
    for (const entry of entries) {
      index = (index + 1) as RaftIndex;
      if (entry.index !== index) throw new FrameError(`entry ${entry.index} in the place of ${index}`);
      if (entry.term < term || entry.term > message.term)
        throw new FrameError(`entry ${index} of a wrong term`);
      term = entry.term;
    }
  }
}

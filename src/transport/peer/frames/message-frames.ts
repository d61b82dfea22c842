/**
 * The stream "message" and the head of a snapshot post: 8 bytes with the length of a raftpb.Message, big-endian, and the
 * message.
 */
import { DecodeError } from "../../../codec/protowire-read.ts";
import { decodeMessage, messageSize, writeMessage } from "../../../codec/raft-message.ts";
import type { Message } from "../../../lib/raft-message.ts";
import { ByteQueue } from "./byte-queue.ts";
import {
  checkMessage,
  type FrameDecoder,
  type FrameEncoder,
  FrameError,
  type FrameLimits,
  isLinkHeartbeat,
  writeUint64,
} from "./frame.ts";

const lengthBytes = 8;

export class MessageEncoder implements FrameEncoder {
  #added: { message: Message; size: number }[] = [];

  add(message: Message): number {
    const size = messageSize(message);
    this.#added.push({ message, size });
    return lengthBytes + size;
  }

  write(buffer: Uint8Array, at: number): number {
    for (const { message, size } of this.#added) {
      at = writeMessage(buffer, writeUint64(buffer, at, size), message);
    }
    this.#added = [];
    return at;
  }
}

export class MessageDecoder implements FrameDecoder {
  readonly #limits: FrameLimits;
  readonly #queue = new ByteQueue();
  /** Bytes of the message that is awaited, -1 while its length is. */
  #size = -1;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  push(bytes: Uint8Array, into: Message[]): void {
    this.#queue.push(bytes);
    for (let message = this.next(); message !== undefined; message = this.next()) {
      if (!isLinkHeartbeat(message)) into.push(message);
    }
  }

  /** For a stream that has something else after a message: adds bytes without reading them. */
  feed(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /** The next message, link heartbeats too, or undefined if it is not all there. */
  next(): Message | undefined {
    const queue = this.#queue;
    if (this.#size < 0) {
      if (queue.length < lengthBytes) return undefined;
      this.#size = queue.takeUint64();
      if (this.#size > this.#limits.messageBytes) throw new FrameError("rafthttp: error limit exceeded");
    }
    if (queue.length < this.#size) return undefined;
    const bytes = queue.take(this.#size);
    this.#size = -1;
    return readMessage(bytes, this.#limits);
  }

  /** What came after the last message. */
  takeRest(): Uint8Array {
    return this.#queue.take(this.#queue.length);
  }
}

/** A checked message, or FrameError. */
export function readMessage(bytes: Uint8Array, limits: FrameLimits): Message {
  try {
    const message = decodeMessage(bytes, limits.messageEntries);
    checkMessage(message);
    return message;
  } catch (error) {
    if (error instanceof DecodeError) throw new FrameError(error.message);
    throw error;
  }
}

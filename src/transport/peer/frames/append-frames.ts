/**
 * The stream "msgappv2", for appends only. After a message in full (2), those that continue where it ended need neither
 * index nor term (1), and a byte keeps the stream alive (0):
 *
 *   00
 *   01 | count: 8 | { size: 8 | raftpb.Entry } x count | commit: 8
 *   02 | size: 8 | raftpb.Message
 *
 * Both sides keep the term and the index that the last message ended with.
 */
import { DecodeError } from "../../../codec/protowire-read.ts";
import { decodeEntry, entrySize, writeEntry } from "../../../codec/raft-log.ts";
import { messageSize, writeMessage } from "../../../codec/raft-message.ts";
import type { MemberId, RaftIndex, Term } from "../../../lib/ids.ts";
import type { Entry } from "../../../lib/raft-entry.ts";
import { type Message, MessageType, makeMessage } from "../../../lib/raft-message.ts";
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
import { readMessage } from "./message-frames.ts";

const kind = { linkHeartbeat: 0, entries: 1, message: 2 } as const;

export class AppendEncoder implements FrameEncoder {
  #term = 0;
  #index = 0;
  #added: { message: Message; kind: number; size: number }[] = [];

  add(message: Message): number {
    if (isLinkHeartbeat(message)) return this.#push(message, kind.linkHeartbeat, 0, 1);
    const { entries, index, logTerm, term } = message;
    if (index === this.#index && logTerm === this.#term && logTerm === term) {
      this.#index = index + entries.length;
      let size = 17;
      for (const entry of entries) size += 8 + entrySize(entry);
      return this.#push(message, kind.entries, 0, size);
    }
    this.#term = term;
    this.#index = index + entries.length;
    const size = messageSize(message);
    return this.#push(message, kind.message, size, 9 + size);
  }

  #push(message: Message, kind: number, size: number, frameBytes: number): number {
    this.#added.push({ message, kind, size });
    return frameBytes;
  }

  write(buffer: Uint8Array, at: number): number {
    for (const added of this.#added) {
      buffer[at++] = added.kind;
      if (added.kind === kind.entries) at = writeEntries(buffer, at, added.message);
      else if (added.kind === kind.message) {
        at = writeMessage(buffer, writeUint64(buffer, at, added.size), added.message);
      }
    }
    this.#added = [];
    return at;
  }
}

function writeEntries(buffer: Uint8Array, at: number, message: Message): number {
  at = writeUint64(buffer, at, message.entries.length);
  for (const entry of message.entries) {
    // The size stands before the entry; writing first and looking afterwards saves working it out again.
    const end = writeEntry(buffer, at + 8, entry);
    writeUint64(buffer, at, end - at - 8);
    at = end;
  }
  return writeUint64(buffer, at, message.commit);
}

type Step = "kind" | "count" | "entrySize" | "entry" | "commit" | "messageSize" | "message";

export class AppendDecoder implements FrameDecoder {
  readonly #local: MemberId;
  readonly #remote: MemberId;
  readonly #limits: FrameLimits;
  readonly #queue = new ByteQueue();
  #step: Step = "kind";
  /** Bytes that the step needs. */
  #need = 1;
  #term = 0;
  #index = 0;
  /** Of the message that is being read: entries so far, how many come, and their bytes. */
  #entries: Entry[] = [];
  #count = 0;
  #bytes = 0;

  constructor(local: MemberId, remote: MemberId, limits: FrameLimits) {
    this.#local = local;
    this.#remote = remote;
    this.#limits = limits;
  }

  push(bytes: Uint8Array, into: Message[]): void {
    this.#queue.push(bytes);
    while (this.#queue.length >= this.#need) {
      const message = this.#takeStep();
      if (message !== undefined) into.push(message);
    }
  }

  #takeStep(): Message | undefined {
    const queue = this.#queue;
    switch (this.#step) {
      case "kind":
        this.#begin(queue.takeByte());
        return undefined;
      case "count":
        this.#count = queue.takeUint64();
        if (this.#count > this.#limits.messageEntries) throw new FrameError("too many entries in a message");
        this.#nextEntry();
        return undefined;
      case "entrySize":
        this.#bytes += queue.takeUint64();
        if (this.#bytes > this.#limits.messageBytes) throw new FrameError("rafthttp: error limit exceeded");
        this.#await("entry", this.#bytes - this.#entryBytes);
        return undefined;
      case "entry":
        this.#entryBytes = this.#bytes;
        this.#entries.push(readEntry(queue.take(this.#need)));
        this.#nextEntry();
        return undefined;
      case "commit":
        return this.#finishEntries(queue.takeUint64());
      case "messageSize": {
        const size = queue.takeUint64();
        if (size > this.#limits.messageBytes) throw new FrameError("rafthttp: error limit exceeded");
        this.#await("message", size);
        return undefined;
      }
      case "message":
        return this.#finishMessage(readMessage(queue.take(this.#need), this.#limits));
    }
  }

  /** Of `#bytes`, those of entries that are read. */
  #entryBytes = 0;

  #await(step: Step, need: number): void {
    this.#step = step;
    this.#need = need;
  }

  #begin(byte: number): void {
    if (byte === kind.linkHeartbeat) return;
    if (byte === kind.entries) {
      if (this.#term === 0) throw new FrameError("entries before any message in msgappv2 stream");
      this.#await("count", 8);
    } else if (byte === kind.message) this.#await("messageSize", 8);
    else throw new FrameError(`failed to parse type ${byte} in msgappv2 stream`);
  }

  #nextEntry(): void {
    if (this.#entries.length < this.#count) this.#await("entrySize", 8);
    else this.#await("commit", 8);
  }

  #finishEntries(commit: number): Message {
    if (commit === Number.POSITIVE_INFINITY) throw new FrameError("commit index above 2^53 - 1");
    const message = makeMessage({
      type: MessageType.app,
      from: this.#remote,
      to: this.#local,
      term: this.#term as Term,
      logTerm: this.#term as Term,
      index: this.#index as RaftIndex,
      entries: this.#entries,
      commit: commit as RaftIndex,
    });
    checkMessage(message);
    this.#index += this.#entries.length;
    this.#entries = [];
    this.#bytes = 0;
    this.#entryBytes = 0;
    this.#await("kind", 1);
    return message;
  }

  #finishMessage(message: Message): Message {
    if (message.type !== MessageType.app)
      throw new FrameError("a message that is no MsgApp in msgappv2 stream");
    this.#term = message.term;
    this.#index = message.index + message.entries.length;
    this.#await("kind", 1);
    return message;
  }
}

function readEntry(bytes: Uint8Array): Entry {
  try {
    return decodeEntry(bytes);
  } catch (error) {
    if (error instanceof DecodeError) throw new FrameError(error.message);
    throw error;
  }
}

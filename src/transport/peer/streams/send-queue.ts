/**
 * Messages that wait for a connection. Those with entries wait in a line of their own, behind all others: a heartbeat is
 * small, and late it costs an election. Raft allows any order.
 */
import { type Message, MessageType } from "../../../lib/raft-message.ts";

export interface SendQueueLimits {
  readonly streamMessages: number;
  readonly streamBytes: number;
}

/** What a message takes besides its entries' data, roughly. */
const messageBytes = 64;
const entryBytes = 16;

export class SendQueue {
  readonly #limits: SendQueueLimits;
  readonly #urgent = new Line();
  readonly #bulk = new Line();
  #bytes = 0;

  constructor(limits: SendQueueLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#urgent.length + this.#bulk.length;
  }

  /** False if it is full. A message of any size finds room in an empty queue. */
  push(message: Message): boolean {
    const bytes = weightOf(message);
    const { streamMessages, streamBytes } = this.#limits;
    const tooMany = this.length >= streamMessages;
    if (tooMany || (this.length > 0 && this.#bytes + bytes > streamBytes)) return false;
    this.#bytes += bytes;
    (isBulk(message) ? this.#bulk : this.#urgent).push(message);
    return true;
  }

  shift(): Message | undefined {
    const message = this.#urgent.shift() ?? this.#bulk.shift();
    if (message !== undefined) this.#bytes -= weightOf(message);
    return message;
  }

  clear(): void {
    this.#urgent.clear();
    this.#bulk.clear();
    this.#bytes = 0;
  }
}

function isBulk(message: Message): boolean {
  return message.type === MessageType.app || message.type === MessageType.prop;
}

function weightOf(message: Message): number {
  let bytes = messageBytes + message.context.length + message.entries.length * entryBytes;
  for (const entry of message.entries) bytes += entry.data.length;
  return bytes;
}

/** First in, first out. */
class Line {
  #items: (Message | undefined)[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  push(message: Message): void {
    this.#items.push(message);
  }

  shift(): Message | undefined {
    if (this.#first === this.#items.length) return undefined;
    const message = this.#items[this.#first];
    this.#items[this.#first++] = undefined;
    if (this.#first === this.#items.length) this.clear();
    else if (this.#first >= 1024) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return message;
  }

  clear(): void {
    this.#items = [];
    this.#first = 0;
  }
}

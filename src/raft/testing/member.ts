/**
 * A member under test: a core, its disk and its state machine, driven the way a server drives it.
 */
import { AssertionError } from "../../lib/assert.ts";
import type { MemberId, RaftIndex, Term } from "../../lib/ids.ts";
import { type Entry, EntryType } from "../../lib/raft-entry.ts";
import { type Message, MessageType } from "../../lib/raft-message.ts";
import { ConfChangeError } from "../confchange/changer.ts";
import { confChangeOf } from "../confchange/wire.ts";
import type { RaftConfig } from "../config.ts";
import type { RaftStart } from "../log/start.ts";
import type { Raft, ReadState } from "../raft.ts";
import { RawNode } from "../raw-node.ts";
import type { Ready } from "../ready.ts";
import { TestDisk } from "./disk.ts";
import { copyState, type MachineState, machineToBytes, toBytes, toText } from "./machine.ts";

/** A RawNode that lets tests look inside. */
export class TestNode extends RawNode {
  get core(): Raft {
    return this.raft;
  }
}

export type NodeClass = new (config: RaftConfig, start: RaftStart) => TestNode;

/** What a test wants to see. All optional. */
export interface MemberHooks {
  onReady?(member: TestMember, ready: Ready): void;
  onPersisted?(member: TestMember, ready: Ready): void;
  onApply?(member: TestMember, entry: Entry): void;
  onRead?(member: TestMember, read: ReadState): void;
}

export interface MemberOptions {
  readonly config: RaftConfig;
  readonly nodeClass?: NodeClass;
  readonly send: (message: Message) => void;
  readonly hooks?: MemberHooks;
}

export class TestMember {
  readonly id: MemberId;
  readonly disk = new TestDisk();
  machine: MachineState;
  readonly reads: ReadState[] = [];
  readonly #options: MemberOptions;
  #node: TestNode | undefined;

  constructor(options: MemberOptions) {
    this.id = options.config.id;
    this.#options = options;
    this.machine = copyState(this.disk.checkpoint);
    this.restart();
  }

  get running(): boolean {
    return this.#node !== undefined;
  }

  /** The core. A crashed member has none. */
  get node(): TestNode {
    if (this.#node === undefined) throw new Error(`member ${this.id} is down`);
    return this.#node;
  }

  get core(): Raft {
    return this.node.core;
  }

  /** Stops, keeping what is durable, the first `survivors` of the writes under way, and a torn part of the next. */
  crash(survivors = 0, tornEntries = 0): void {
    this.#node = undefined;
    this.disk.crash(survivors, tornEntries);
  }

  restart(): void {
    const { nodeClass, config } = this.#options;
    this.#node = new (nodeClass ?? TestNode)(config, this.disk.start());
    this.machine = copyState(this.disk.checkpoint);
  }

  propose(text: string) {
    return this.node.propose([makeEntry(text)]);
  }

  /** Takes one Ready: begins its write, sends, applies. */
  takeReady(): Ready {
    const { node } = this;
    const ready = node.ready();
    this.#options.hooks?.onReady?.(this, ready);
    if (ready.token !== 0 || ready.hardState !== undefined) this.disk.begin(ready);
    for (const message of ready.messages) this.#options.send(this.#withState(message));
    for (const read of ready.readStates) {
      this.reads.push(read);
      this.#options.hooks?.onRead?.(this, read);
    }
    for (const entry of ready.committedEntries) this.#apply(entry);
    const last = ready.committedEntries.at(-1);
    if (last !== undefined) node.applied(last.index);
    return ready;
  }

  /** Takes Readys until there is nothing to do. */
  process(): void {
    while (this.node.hasReady()) this.takeReady();
  }

  /** The oldest write under way becomes durable. False if there is none. */
  persistNext(): boolean {
    const write = this.disk.completeNext();
    if (write === undefined) return false;
    this.#options.hooks?.onPersisted?.(this, write.ready);
    if (write.ready.snapshot !== undefined) this.machine = copyState(this.disk.checkpoint);
    if (write.token !== 0) this.node.persisted(write.token);
    return true;
  }

  /** Saves the state machine, tells the core, and cuts the log on disk and in memory up to `index`. */
  compact(index = this.machine.index): void {
    const { node, machine } = this;
    const mark = node.createSnapshot(machine.index as RaftIndex, machine.confState);
    const term = node.core.log.term(index);
    const cut = term === undefined ? mark : { ...mark, index: index as RaftIndex, term };
    node.compactLog(cut.index);
    this.disk.saveCheckpoint(copyState(machine), cut);
  }

  #apply(entry: Entry): void {
    const { machine, node } = this;
    if (entry.index !== machine.index + 1) {
      throw new AssertionError(`member ${this.id} applies ${entry.index} after ${machine.index}`);
    }
    this.#options.hooks?.onApply?.(this, entry);
    const { texts } = machine;
    let { confState } = machine;
    if (entry.type === EntryType.normal) {
      if (entry.data.length > 0) texts.push(toText(entry.data));
    } else {
      confState = this.#applyConfChange(entry, node);
    }
    this.machine = { index: entry.index, confState, texts };
  }

  /** As etcd does: a change that does not fit is applied as one that changes nothing. */
  #applyConfChange(entry: Entry, node: TestNode) {
    const change = confChangeOf(entry)!;
    try {
      return node.applyConfChange(change);
    } catch (error) {
      if (!(error instanceof ConfChangeError)) throw error;
      return node.confState;
    }
  }

  /** A snapshot leaves with the state machine's state of now, as a server's would. */
  #withState(message: Message): Message {
    if (message.type !== MessageType.snap) return message;
    const { index, confState } = this.machine;
    const term = this.core.log.term(index);
    if (term === undefined) return message;
    const metadata = { index: index as RaftIndex, term, confState };
    return { ...message, snapshot: { metadata, data: machineToBytes(this.machine) } };
  }
}

export function makeEntry(text: string): Entry {
  return { type: EntryType.normal, term: 0 as Term, index: 0 as RaftIndex, data: toBytes(text) };
}

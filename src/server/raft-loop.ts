/**
 * Drives the Raft core: gathers the proposals and messages of a turn into one batch, carries each Ready to the log, to the
 * other members and to apply, and reports back when the log has it on disk. Several Readys may be on their way to the
 * disk.
 */
import type { Clock, Timer } from "../lib/clock.ts";
import type { RaftIndex, Term } from "../lib/ids.ts";
import type { Entry } from "../lib/raft-entry.ts";
import type { Message, Snapshot } from "../lib/raft-message.ts";
import type { ProposeRefusal } from "../raft/leader/propose.ts";
import type { RawNode } from "../raft/raw-node.ts";
import type { Ready, SoftState } from "../raft/ready.ts";
import type { Wal } from "../wal/wal.ts";

export interface RaftLoopOptions {
  readonly node: RawNode;
  readonly wal: Wal;
  readonly clock: Clock;
  /** `--heartbeat-interval`: one tick. */
  readonly tickMs: number;
  /** While false, proposals wait: the store's overlay is full. */
  readonly hasRoom: () => boolean;
  readonly onCommitted: (entries: readonly Entry[]) => void;
  readonly onReadState: (index: RaftIndex, context: Uint8Array) => void;
  readonly onSoftState: (state: SoftState) => void;
  /** A batch was not taken: its entries will not be applied. */
  readonly onRefused: (entries: readonly Entry[], why: ProposeRefusal) => void;
  /** Whether somebody still waits for an entry that was held back for want of a leader. */
  readonly isWanted: (entry: Entry) => boolean;
  /** These go into the log, or to the leader, of this term. */
  readonly onSent: (entries: readonly Entry[], term: Term) => void;
  readonly onTick: () => void;
  readonly send: (messages: readonly Message[]) => void;
  /** A leader's snapshot is about to be noted in the log. */
  readonly onSnapshot: (snapshot: Snapshot) => void;
  /** The log has the mark of a leader's snapshot: makes it the state of the store. Nothing is applied meanwhile. */
  readonly install: (snapshot: Snapshot) => Promise<void>;
  readonly onFatal: (error: Error) => void;
}

export class RaftLoop {
  readonly #options: RaftLoopOptions;
  #batch: Entry[] = [];
  /** The batch was refused for want of a leader, and is kept for the next one. */
  #waitsForLeader = false;
  #turnScheduled = false;
  #processing = false;
  #again = false;
  #timer: Timer | undefined;
  #stopped = false;
  /** A snapshot is being made the store's state; what the log has on disk meanwhile is reported afterwards. */
  #installing = false;
  #durableToken = 0;

  constructor(options: RaftLoopOptions) {
    this.#options = options;
  }

  /** Starts the clock of elections and heartbeats. */
  start(): void {
    this.#tickLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Adds an entry to the batch of this turn. */
  propose(entry: Entry): void {
    this.#batch.push(entry);
    if (!this.#turnScheduled && !this.#waitsForLeader) this.#runSoon();
  }

  /** Proposes at once, and only if this member leads: the entry is never passed on to another. False if it was not taken. */
  proposeHere(entry: Entry): boolean {
    const { node, onSent } = this.#options;
    if (this.#stopped || node.role !== "leader" || node.propose([entry]) !== undefined) return false;
    onSent([entry], node.term);
    this.#runSoon();
    return true;
  }

  /** A message from another member. What it leads to is done together with the rest of this turn. */
  receive(message: Message): void {
    this.tell((node) => node.step(message));
  }

  /** Puts something into the core; what it leads to is done together with the rest of this turn. */
  tell(tell: (node: RawNode) => void): void {
    if (this.#stopped) return;
    try {
      tell(this.#options.node);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#runSoon();
  }

  #runSoon(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    this.#options.clock.nextTurn(() => this.flush());
  }

  /** Entries that wait to be proposed. */
  get waiting(): number {
    return this.#batch.length;
  }

  /** Proposes what has gathered, unless there is no room for it yet; then whoever makes room calls this again. */
  flush(): void {
    this.#turnScheduled = false;
    if (this.#stopped) return;
    try {
      if (this.#batch.length > 0 && this.#options.hasRoom()) this.#proposeBatch();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.process();
  }

  #proposeBatch(): void {
    const waited = this.#waitsForLeader;
    const batch = waited ? this.#batch.filter(this.#options.isWanted) : this.#batch;
    this.#batch = [];
    this.#waitsForLeader = false;
    const { node, onSent } = this.#options;
    const refusal = node.propose(batch);
    if (refusal === undefined) {
      onSent(batch, node.term);
      return;
    }
    if (refusal === "no leader" || refusal === "transferring") {
      this.#batch = batch;
      this.#waitsForLeader = batch.length > 0;
    } else {
      this.#options.onRefused(batch, refusal);
    }
  }

  /** Carries out all work that the core has. To be called after anything was put into it. */
  process(): void {
    if (this.#processing) {
      this.#again = true;
      return;
    }
    this.#processing = true;
    try {
      do {
        this.#again = false;
        while (!this.#stopped && this.#options.node.hasReady()) this.#carryOut();
      } while (this.#again);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#processing = false;
    }
  }

  #fail(error: unknown): void {
    this.#stopped = true;
    this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
  }

  #carryOut(): void {
    const { node, send, onSoftState, onReadState, onCommitted } = this.#options;
    const ready = node.ready();
    if (ready.softState) {
      onSoftState(ready.softState);
      if (this.#waitsForLeader) this.#runSoon();
    }
    if (ready.messages.length > 0) send(ready.messages);
    if (ready.snapshot) this.#options.onSnapshot(ready.snapshot);
    if (ready.hardState || ready.entries.length > 0 || ready.snapshot) this.#save(ready);
    if (ready.committedEntries.length > 0) onCommitted(ready.committedEntries);
    for (const { index, context } of ready.readStates) onReadState(index, context);
  }

  #save({ entries, hardState, snapshot, mustSync, token }: Ready): void {
    const { wal, onFatal } = this.#options;
    wal.save({ entries, hardState, snapshot: snapshot?.metadata, mustSync }, (error) => {
      if (error) onFatal(error);
      else if (token !== 0 && !this.#stopped) this.#persisted(token, snapshot);
    });
  }

  #persisted(token: number, snapshot: Snapshot | undefined): void {
    this.#durableToken = token;
    if (snapshot !== undefined) this.#install(snapshot);
    else if (!this.#installing) this.#report();
  }

  #report(): void {
    try {
      this.#options.node.persisted(this.#durableToken);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.process();
  }

  #install(snapshot: Snapshot): void {
    this.#installing = true;
    this.#options.install(snapshot).then(
      () => {
        this.#installing = false;
        if (!this.#stopped) this.#report();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** The state machine has applied everything up to `index`. */
  applied(index: RaftIndex): void {
    if (this.#stopped) return;
    try {
      this.#options.node.applied(index);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.process();
  }

  #tickLater(): void {
    const { clock, tickMs, node, onTick } = this.#options;
    this.#timer = clock.after(tickMs, () => {
      if (this.#stopped) return;
      try {
        node.tick();
        onTick();
      } catch (error) {
        this.#fail(error);
        return;
      }
      // A leader may have been found, or what waits for one may have waited for too long.
      if (this.#waitsForLeader) this.flush();
      else this.process();
      this.#tickLater();
    });
  }
}

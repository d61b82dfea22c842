/**
 * Drives the Raft core: gathers the proposals of a turn into one batch, carries each Ready to the log, to the other
 * members and to apply, and reports back when the log has it on disk. Several Readys may be on their way to the disk.
 */
import type { Clock, Timer } from "../lib/clock.ts";
import type { RaftIndex } from "../lib/ids.ts";
import type { Entry, SnapshotMark } from "../lib/raft-entry.ts";
import type { Message } from "../lib/raft-message.ts";
import type { ProposeRefusal } from "../raft/leader/propose.ts";
import type { RawNode } from "../raft/raw-node.ts";
import type { SoftState } from "../raft/ready.ts";
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
  readonly onTick: () => void;
  readonly send: (messages: readonly Message[]) => void;
  readonly onFatal: (error: Error) => void;
}

export class RaftLoop {
  readonly #options: RaftLoopOptions;
  #batch: Entry[] = [];
  #flushScheduled = false;
  #processing = false;
  #again = false;
  #timer: Timer | undefined;
  #stopped = false;

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
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.#options.clock.nextTurn(() => this.flush());
  }

  /** Entries that wait to be proposed. */
  get waiting(): number {
    return this.#batch.length;
  }

  /** Proposes what has gathered, unless there is no room for it yet; then whoever makes room calls this again. */
  flush(): void {
    this.#flushScheduled = false;
    if (this.#stopped || this.#batch.length === 0 || !this.#options.hasRoom()) return;
    const batch = this.#batch;
    this.#batch = [];
    const refusal = this.#options.node.propose(batch);
    if (refusal) this.#options.onRefused(batch, refusal);
    this.process();
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
      this.#stopped = true;
      this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#processing = false;
    }
  }

  #carryOut(): void {
    const { node, wal, send, onSoftState, onReadState, onCommitted, onFatal } = this.#options;
    const ready = node.ready();
    if (ready.softState) onSoftState(ready.softState);
    if (ready.messages.length > 0) send(ready.messages);
    if (ready.hardState || ready.entries.length > 0 || ready.snapshot) {
      const { entries, hardState, mustSync, token } = ready;
      const snapshot: SnapshotMark | undefined = ready.snapshot?.metadata;
      wal.save({ entries, hardState, snapshot, mustSync }, (error) => {
        if (error) onFatal(error);
        else if (token !== 0 && !this.#stopped) {
          node.persisted(token);
          this.process();
        }
      });
    }
    if (ready.committedEntries.length > 0) onCommitted(ready.committedEntries);
    for (const { index, context } of ready.readStates) onReadState(index, context);
  }

  /** The state machine has applied everything up to `index`. */
  applied(index: RaftIndex): void {
    if (this.#stopped) return;
    this.#options.node.applied(index);
    this.process();
  }

  #tickLater(): void {
    const { clock, tickMs, node, onTick } = this.#options;
    this.#timer = clock.after(tickMs, () => {
      if (this.#stopped) return;
      node.tick();
      onTick();
      this.process();
      this.#tickLater();
    });
  }
}

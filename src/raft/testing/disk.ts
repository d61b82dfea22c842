/**
 * A member's disk for tests: what is durable, and writes that are under way and vanish in a crash. Writes become
 * durable in order, as a write-ahead log's do.
 */
import type { RaftIndex } from "../../lib/ids.ts";
import type { Entry, HardState, SnapshotMark } from "../../lib/raft-entry.ts";
import { freshStart } from "../bootstrap.ts";
import type { RaftStart } from "../log/start.ts";
import type { Ready } from "../ready.ts";
import { emptyMachine, type MachineState, machineFromBytes } from "./machine.ts";

export interface PendingWrite {
  readonly token: number;
  readonly ready: Ready;
}

export class TestDisk {
  hardState: HardState | undefined;
  /** Where the log begins. */
  mark: SnapshotMark | undefined;
  /** Without holes, from the one after `mark`. */
  entries: Entry[] = [];
  /** The state machine's durable state: what a restart begins with. */
  checkpoint: MachineState = emptyMachine;
  readonly pending: PendingWrite[] = [];

  get firstIndex(): number {
    return (this.mark?.index ?? 0) + 1;
  }

  get lastIndex(): number {
    return this.firstIndex + this.entries.length - 1;
  }

  /** The term of a durable entry; undefined if it is not there. */
  term(index: number): number | undefined {
    if (index === this.mark?.index) return this.mark.term;
    return this.entries[index - this.firstIndex]?.term;
  }

  /** A Ready's write begins. */
  begin(ready: Ready): void {
    this.pending.push({ token: ready.token, ready });
  }

  /** The oldest write becomes durable. Undefined if there is none. */
  completeNext(): PendingWrite | undefined {
    const write = this.pending.shift();
    if (write !== undefined) this.#apply(write.ready);
    return write;
  }

  /**
   * A crash: all that is under way is lost, except for the first `survivors` writes, and the first `tornEntries`
   * entries of the next one, whose hard state would have come after them.
   */
  crash(survivors: number, tornEntries = 0): void {
    for (let i = 0; i < survivors; i++) this.completeNext();
    const torn = this.pending[0]?.ready;
    if (torn !== undefined && torn.snapshot === undefined && tornEntries > 0) {
      this.#apply({ ...torn, entries: torn.entries.slice(0, tornEntries), hardState: undefined });
    }
    this.pending.length = 0;
  }

  /** The state machine's state is durable up to `state.index`, and the log is cut up to `logFrom`. */
  saveCheckpoint(state: MachineState, mark: SnapshotMark | undefined): void {
    this.checkpoint = state;
    if (mark === undefined || mark.index < this.firstIndex) return;
    this.entries = this.entries.slice(mark.index - this.firstIndex + 1);
    this.mark = mark;
  }

  /** What a member that starts now finds. */
  start(): RaftStart {
    if (this.hardState === undefined) return freshStart;
    return {
      snapshot: this.mark,
      entries: this.entries.slice(),
      applied: this.checkpoint.index as RaftIndex,
      hardState: this.hardState,
      confState: this.checkpoint.confState,
    };
  }

  #apply({ snapshot, entries, hardState }: Ready): void {
    if (snapshot !== undefined) {
      this.mark = snapshot.metadata;
      this.entries = [];
      this.checkpoint = machineFromBytes(snapshot.metadata, snapshot.data);
    }
    if (entries.length > 0) {
      this.entries.length = entries[0]!.index - this.firstIndex;
      this.entries.push(...entries);
    }
    if (hardState !== undefined) this.hardState = hardState;
  }
}

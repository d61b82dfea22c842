/**
 * Applies committed entries in order, without holding the event loop: a batch of short ones goes through in one turn, and
 * one that touches many keys is carried on over as many turns as it takes, while nothing after it is applied.
 */
import type { Clock } from "../lib/clock.ts";
import type { RaftIndex } from "../lib/ids.ts";
import { Portions } from "../lib/portions.ts";
import type { Entry } from "../lib/raft-entry.ts";
import type { Steps } from "../lib/steps.ts";
import type { ApplyTimer } from "./apply-timer.ts";

/** How long one turn may apply, in milliseconds. */
const turnBudgetMs = 5;
/** How many short entries are applied between two looks at the clock, unless it is said otherwise. */
const defaultEntriesPerLook = 32;

export interface ApplyLoopOptions {
  readonly clock: Clock;
  /** Applies one entry; returns the rest of the work when it is long. */
  readonly apply: (entry: Entry) => Steps<void> | undefined;
  /** After each turn that applied something. */
  readonly onApplied: (index: RaftIndex) => void;
  /** An entry could not be applied: a bug or damage, and nothing after it may be applied either. */
  readonly onFatal: (error: Error) => void;
  /** Takes the time of what is applied. */
  readonly timer?: Pick<ApplyTimer, "begin" | "look">;
  readonly entriesPerLook?: number;
}

export class ApplyLoop {
  readonly #options: ApplyLoopOptions;
  #batches: Entry[][] = [];
  #batch: readonly Entry[] = [];
  #next = 0;
  #steps: Steps<void> | undefined;
  #scheduled = false;
  #running = false;
  #applied: RaftIndex;
  #failed = false;
  #halted = false;
  /** In order of index. */
  #waiters: { index: RaftIndex; run: () => void }[] = [];
  /** Those whose index is applied. There may be a hundred thousand. */
  readonly #due: Portions<() => void>;

  constructor(applied: RaftIndex, options: ApplyLoopOptions) {
    this.#applied = applied;
    this.#options = options;
    this.#due = new Portions(options.clock, (run) => run());
  }

  /** The last entry whose effects are all in. */
  get applied(): RaftIndex {
    return this.#applied;
  }

  /** Adds committed entries and applies what fits into this turn. */
  push(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.#batches.push(entries as Entry[]);
    if (!this.#scheduled && !this.#running) this.#run();
  }

  /** Runs `run` once `index` is applied; at once if it is, and nobody is due before. */
  whenApplied(index: RaftIndex, run: () => void): void {
    if (this.#applied >= index) {
      if (this.#due.isEmpty) run();
      else this.#due.add([run]);
      return;
    }
    const waiters = this.#waiters;
    let at = waiters.length;
    while (at > 0 && waiters[at - 1]!.index > index) at--;
    waiters.splice(at, 0, { index, run });
  }

  /** Another state is about to take this one's place: lets go of everything that is not applied. */
  halt(): void {
    this.#halted = true;
    this.#steps?.return(undefined);
    this.#steps = undefined;
    this.#batches = [];
    this.#batch = [];
    this.#next = 0;
  }

  /** That state is there, and has everything up to `index`. */
  resume(index: RaftIndex): void {
    this.#halted = false;
    this.#applied = index;
    this.#wake();
  }

  #run(): void {
    this.#scheduled = false;
    if (this.#failed || this.#halted) return;
    this.#running = true;
    const before = this.#applied;
    try {
      this.#applyUntilTired();
    } catch (error) {
      this.#failed = true;
      this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
      return;
    } finally {
      this.#running = false;
    }
    if (this.#applied !== before) {
      this.#options.onApplied(this.#applied);
      this.#wake();
    }
    if (this.#hasWork) {
      this.#scheduled = true;
      this.#options.clock.nextTurn(() => this.#run());
    }
  }

  get #hasWork(): boolean {
    return this.#steps !== undefined || this.#next < this.#batch.length || this.#batches.length > 0;
  }

  #applyUntilTired(): void {
    const { clock, apply, timer, entriesPerLook = defaultEntriesPerLook } = this.#options;
    let nowMs = clock.monotonicMs();
    const endMs = nowMs + turnBudgetMs;
    if (!this.#steps) timer?.begin(nowMs);
    let sinceLook = 0;
    while (this.#hasWork) {
      if (this.#steps) {
        if (!this.#steps.next().done) {
          if (clock.monotonicMs() >= endMs) return;
          continue;
        }
        this.#steps = undefined;
        this.#applied = this.#batch[this.#next++]!.index;
        timer?.look(clock.monotonicMs());
      } else if (this.#next >= this.#batch.length) {
        this.#batch = this.#batches.shift()!;
        this.#next = 0;
        continue;
      } else {
        const entry = this.#batch[this.#next]!;
        this.#steps = apply(entry);
        if (this.#steps) {
          timer?.look(clock.monotonicMs());
          continue;
        }
        this.#applied = entry.index;
        this.#next++;
      }
      if (++sinceLook >= entriesPerLook) {
        sinceLook = 0;
        nowMs = clock.monotonicMs();
        timer?.look(nowMs);
        if (nowMs >= endMs) return;
      }
    }
    timer?.look(clock.monotonicMs());
    this.#batch = [];
    this.#next = 0;
  }

  #wake(): void {
    const waiters = this.#waiters;
    let count = 0;
    while (count < waiters.length && waiters[count]!.index <= this.#applied) count++;
    if (count === 0) return;
    this.#due.add(waiters.splice(0, count).map(({ run }) => run));
  }
}

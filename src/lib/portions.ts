/** Does something with very many things without holding the event loop: some milliseconds of it in each turn. */
import type { Clock } from "./clock.ts";

/** For one portion, in milliseconds. */
const portionMs = 2;
/** Things between two looks at the clock. */
const perLook = 32;

/** Things that something is done with, one after the other: the first of them at once, and what is too much for a turn in
 * the next ones. What is added later comes later. */
export class Portions<T> {
  readonly #clock: Pick<Clock, "monotonicMs" | "nextTurn">;
  readonly #run: (item: T) => void;
  #items: T[] = [];
  #next = 0;
  /** A portion is being done, or will be in another turn. */
  #isUnderWay = false;

  constructor(clock: Pick<Clock, "monotonicMs" | "nextTurn">, run: (item: T) => void) {
    this.#clock = clock;
    this.#run = run;
  }

  get isEmpty(): boolean {
    return this.#next === this.#items.length;
  }

  add(items: readonly T[]): void {
    if (items.length === 0) return;
    this.#items = this.takeRest().concat(items);
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    this.#portion();
  }

  /** Takes out what nothing was done with yet. */
  takeRest(): T[] {
    const rest = this.#items.slice(this.#next);
    this.#items = [];
    this.#next = 0;
    return rest;
  }

  #portion(): void {
    const clock = this.#clock;
    // A few are done without a look at the clock.
    let endMs: number | undefined;
    let done = 0;
    try {
      while (!this.isEmpty) {
        if (done++ % perLook === 0 && done > 1) {
          const nowMs = clock.monotonicMs();
          endMs ??= nowMs + portionMs;
          if (nowMs >= endMs) return;
        }
        this.#run(this.#items[this.#next++]!);
      }
      this.takeRest();
    } finally {
      // What one throws is for whoever called; the others are done all the same.
      if (this.isEmpty) this.#isUnderWay = false;
      else clock.nextTurn(() => this.#portion());
    }
  }
}

/** Runs `run` with each of `items`, in order: some at once, and what is too much for a turn in the next ones. */
export function inPortions<T>(
  items: readonly T[],
  clock: Pick<Clock, "monotonicMs" | "nextTurn">,
  run: (item: T) => void,
): void {
  new Portions(clock, run).add(items);
}

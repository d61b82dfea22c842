/** A clock that stands still until a test moves it. Turns of the event loop are run by the test as well. */
import type { Clock, Timer } from "../clock.ts";

export class FakeClock implements Clock {
  #nowMs = 0;
  #turns: (() => void)[] = [];
  #timers: { atMs: number; callback: () => void }[] = [];
  /** Added to the time at each look, to make work take time. */
  costOfLookMs = 0;

  monotonicMs(): number {
    this.#nowMs += this.costOfLookMs;
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_800_000_000_000 + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  nextTurn(callback: () => void): void {
    this.#turns.push(callback);
  }

  get pendingTurns(): number {
    return this.#turns.length;
  }

  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Runs what waits for the next turn, once. */
  turn(): void {
    const turns = this.#turns;
    this.#turns = [];
    for (const callback of turns) callback();
  }

  /** Moves the time on and runs the timers that come due, in order, letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.callback();
      await settle();
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
    await settle();
  }
}

/** Lets promise callbacks that are ready run, and those that they make ready. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

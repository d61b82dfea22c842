/** A clock for tests that wait for promises only: turns come at once, and timers when they are told to. */
import type { Clock, Timer } from "../../lib/clock.ts";

export class TestClock implements Clock {
  nowMs = 0;
  readonly timers = new Set<{ readonly delayMs: number; readonly callback: () => void }>();

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { delayMs, callback };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer) };
  }

  nextTurn(callback: () => void): void {
    queueMicrotask(callback);
  }

  /** Runs all timers that wait, whatever their time. */
  fire(): void {
    const due = [...this.timers];
    this.timers.clear();
    for (const { callback } of due) callback();
  }
}

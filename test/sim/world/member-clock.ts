/**
 * The clock of one simulated member: it runs a little faster or slower than time itself, looking at it takes time, and it
 * falls silent when the process dies.
 */
import type { Clock, Timer } from "../../../src/lib/clock.ts";
import type { Events } from "./events.ts";

export interface MemberClockOptions {
  readonly events: Events;
  /** Its seconds in a real second: about 1. */
  readonly rate: number;
  /** What it adds to the time of day. */
  readonly wallOffsetMs: number;
  /** What a look at the clock takes, so that work that watches it gives way to other work. */
  readonly lookMs: number;
  readonly isAlive: () => boolean;
}

/** 2027. */
const epochMs = 1_800_000_000_000;
/** Looks do not bring it ahead of time by more than this. */
const aheadMsMax = 15;
/** What a turn of the event loop takes. */
const turnMs = 0.05;
export class MemberClock implements Clock {
  readonly #options: MemberClockOptions;
  readonly #startMs: number;
  #lastMs = 0;
  /** When the member's process is stopped (and not dead): its timers wait. */
  #frozen: (() => void)[] | undefined;

  constructor(options: MemberClockOptions) {
    this.#options = options;
    this.#startMs = options.events.nowMs;
  }

  monotonicMs(): number {
    const { events, rate, lookMs } = this.#options;
    const trueMs = (events.nowMs - this.#startMs) * rate;
    const nextMs = Math.min(this.#lastMs + lookMs, trueMs + aheadMsMax);
    this.#lastMs = Math.max(this.#lastMs, nextMs, trueMs);
    return this.#lastMs;
  }

  /** What this clock showed, or would have shown, at a moment of simulated time. */
  monotonicAt(worldMs: number): number {
    return (worldMs - this.#startMs) * this.#options.rate;
  }

  wallMs(): number {
    const { events, wallOffsetMs } = this.#options;
    return epochMs + wallOffsetMs + events.nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const { events, rate } = this.#options;
    return events.after(delayMs / rate, () => this.run(callback));
  }

  nextTurn(callback: () => void): void {
    this.#options.events.after(turnMs, () => this.run(callback));
  }

  /** Runs something in this process, if it lives; later, if it is stopped. */
  run(callback: () => void): void {
    if (!this.#options.isAlive()) return;
    if (this.#frozen === undefined) callback();
    else this.#frozen.push(callback);
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined;
  }

  /** As SIGSTOP does. */
  freeze(): void {
    this.#frozen ??= [];
  }

  /** As SIGCONT does: what waited happens now, in its order. */
  thaw(): void {
    const waiting = this.#frozen ?? [];
    this.#frozen = undefined;
    for (const callback of waiting) this.nextTurn(callback);
  }
}

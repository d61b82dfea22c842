import type { CoarseTimers, TimerEntry, TimerTarget } from "../timers/coarse-timers.ts";

/** The deadline of a call that has one. */
export class Deadline {
  private readonly timers: CoarseTimers;
  private readonly atMs: number;
  private readonly timer: TimerEntry;

  constructor(timers: CoarseTimers, timeoutMs: number, target: TimerTarget) {
    this.timers = timers;
    this.atMs = timers.now() + timeoutMs;
    this.timer = timers.arm(timeoutMs, target);
  }

  get leftMs(): number {
    return Math.max(0, this.atMs - this.timers.now());
  }

  cancel(): void {
    this.timer.cancel();
  }
}

/** Notices when nothing has come for too long. */
import type { Clock, Timer } from "../../../lib/clock.ts";

export class SilenceTimer {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onSilence: () => void;
  #heardMs = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, timeoutMs: number, onSilence: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onSilence = onSilence;
  }

  /** Begins to wait, or begins again. */
  start(): void {
    this.stop();
    this.heard();
    this.#arm(this.#timeoutMs);
  }

  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  get #leftMs(): number {
    return this.#heardMs + this.#timeoutMs - this.#clock.monotonicMs();
  }

  #arm(delayMs: number): void {
    const timer = this.#clock.after(delayMs, () => {
      const leftMs = this.#leftMs;
      if (leftMs > 0) {
        this.#arm(leftMs);
        return;
      }
      // If it is this process that was halted, what came meanwhile waits to be read: that is first in the next turn.
      this.#clock.nextTurn(() => {
        if (this.#timer !== timer) return;
        if (this.#leftMs > 0) this.#arm(this.#leftMs);
        else {
          this.#timer = undefined;
          this.#onSilence();
        }
      });
    });
    this.#timer = timer;
  }
}

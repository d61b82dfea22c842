/**
 * Time and turns of the event loop, as something that is handed in. The server runs on the machine's clock, the
 * simulation on its own.
 */

/** What a timer gives back; `cancel` may be called at any time, also after it has run. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds from some fixed moment; never goes back. For durations and deadlines. */
  monotonicMs(): number;
  /** Milliseconds since 1970. Only for what people read. */
  wallMs(): number;
  /**
   * Runs `callback` once, not before `delayMs` milliseconds have passed and what had come by then was read. Does not
   * keep the process alive.
   */
  after(delayMs: number, callback: () => void): Timer;
  /** Runs `callback` in the next turn of the event loop, after the input that is waiting now. */
  nextTurn(callback: () => void): void;
}

/**
 * A timer for what waits for others. After a pause of the whole process (a busy machine, a virtual machine that was
 * taken away, a long collection of garbage) runtimes run the timers that are due before they read what came meanwhile:
 * whoever gave up at that instant would blame the other end for the own pause.
 *
 * So a timer that is late lets the runtime rest for a moment first, in which it reads; and each one lets two turns of
 * the event loop pass, which costs next to nothing. (On Node one turn is enough; on Bun it can take two; Deno looks at
 * sockets only when it rests, or every 61st turn.)
 */

/** What is no later than that, in milliseconds, is not taken for a pause: runtimes round. */
const lateMsMax = 3;
const restMs = 1;
/** A process that is late again and again is busy, and has read meanwhile. */
const restsMax = 2;

export class PatientTimer {
  readonly #callback: () => void;
  #dueMs = 0;
  #rests = 0;
  #timeout: ReturnType<typeof setTimeout> | undefined;
  #turn: ReturnType<typeof setImmediate> | undefined;

  /** Runs `callback` once, not before `delayMs` milliseconds and not before the input that waits then was read. */
  constructor(delayMs: number, callback: () => void) {
    this.#callback = callback;
    this.#sleep(delayMs);
  }

  #sleep(delayMs: number): void {
    this.#dueMs = performance.now() + delayMs;
    this.#timeout = setTimeout(() => this.#wake(), delayMs);
  }

  #wake(): void {
    this.#timeout = undefined;
    if (this.#rests < restsMax && performance.now() - this.#dueMs > lateMsMax) {
      this.#rests++;
      this.#sleep(restMs);
      return;
    }
    this.#turn = setImmediate(() => {
      this.#turn = setImmediate(() => {
        this.#turn = undefined;
        this.#callback();
      });
    });
  }

  /** It does not keep the process alive. */
  unref(): this {
    this.#timeout?.unref?.();
    return this;
  }

  /** May be called at any time, also after it has run. */
  cancel(): void {
    clearTimeout(this.#timeout);
    clearImmediate(this.#turn);
    this.#timeout = undefined;
    this.#turn = undefined;
  }
}

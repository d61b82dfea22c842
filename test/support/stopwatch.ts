/** Measures how long others take, without the time in which the machine let nobody run. */

const tickMs = 10;
/** A tick that comes later than that counts as this much: the machine was paused, or busy with something else. */
const tickMsMax = 20;

export class Stopwatch {
  #countedMs = 0;
  #lastMs = performance.now();
  readonly #timer = setInterval(() => this.#count(), tickMs);

  #count(): void {
    const nowMs = performance.now();
    this.#countedMs += Math.min(nowMs - this.#lastMs, tickMsMax);
    this.#lastMs = nowMs;
  }

  /** Milliseconds since it was made. */
  stop(): number {
    clearInterval(this.#timer);
    this.#count();
    return this.#countedMs;
  }
}

/**
 * What calls in a process may take of one turn of the event loop. An in-process call can be answered without any wait, and
 * a program that asks again and again would then never let go of the loop: timers, sockets and the server's own writes
 * would stand still, and what it waits for would never come.
 */
const shareMs = 2;

export class TurnShare {
  #startedMs: number | undefined;

  /** Runs `work` now, or in the next turn if this one has had its share. */
  run(work: () => void): void {
    const nowMs = performance.now();
    if (this.#startedMs === undefined) {
      this.#startedMs = nowMs;
      setImmediate(() => {
        this.#startedMs = undefined;
      });
    }
    if (nowMs - this.#startedMs < shareMs) work();
    else setImmediate(work);
  }
}

/**
 * A log that keeps nothing: for a server that lives in memory alone (`--storage-backend memory`), where there is nothing
 * to come back to. It keeps the order and the asynchrony of the real one.
 */
import type { Clock } from "../lib/clock.ts";
import type { Wal, WalBatch } from "./wal.ts";

export class MemoryWal implements Wal {
  readonly sizeBytes = 0;
  readonly #clock: Clock;
  #waiting: ((error?: Error) => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  save(_batch: WalBatch, done: (error?: Error) => void): void {
    if (this.#waiting.push(done) > 1) return;
    this.#clock.nextTurn(() => {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const tell of waiting) tell();
    });
  }

  release(): void {}

  async close(): Promise<void> {}
}

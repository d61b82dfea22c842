/**
 * A store that an import fills, without a journal: what is written goes to the database file, once. It is brought to the
 * disk in portions, with rests between them, because the log of the same member, or of another on the same disk, is
 * synced for every answer and waits for what is on its way.
 */
import { closeSync, fdatasyncSync, openSync } from "node:fs";

/** Times as long as a sync took, the disk is left to others. */
const restPart = 2;
const restMsMax = 100;

export class Filling {
  readonly #descriptor: number | undefined;
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));

  /** `sync` false: nobody waits for the disk. Open until the file is closed: closing it takes SQLite's locks away. */
  constructor(file: string, sync: boolean) {
    this.#descriptor = sync ? openSync(file, "r+") : undefined;
  }

  /** For a thread that nobody waits for. */
  syncSome(): void {
    const startMs = performance.now();
    this.sync();
    if (this.#descriptor === undefined) return;
    const restMs = Math.min((performance.now() - startMs) * restPart, restMsMax);
    Atomics.wait(this.#sleeper, 0, 0, restMs);
  }

  sync(): void {
    if (this.#descriptor !== undefined) fdatasyncSync(this.#descriptor);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }
}

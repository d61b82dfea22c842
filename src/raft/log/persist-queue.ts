/**
 * What has been handed out to be written and is not yet known to be on disk, oldest first, and the promises that wait
 * for it. A promise (a granted vote, an acknowledged append) leaves only when everything handed out before it is
 * durable (dissertation 3.8): nothing that a member said may be lost with its disk's cache.
 */
import { assert } from "../../lib/assert.ts";
import type { Message } from "../../lib/raft-message.ts";

export interface PersistRecord {
  readonly token: number;
  /** The last entry of the record, or of what is left of it since later entries replaced some; 0 for none. */
  lastIndex: number;
  /** The snapshot in the record, 0 for none. */
  readonly snapshotIndex: number;
  /** What to send once the record is durable. */
  readonly promises: Message[];
}

export class PersistQueue {
  #records: PersistRecord[] = [];
  #head = 0;
  #lastToken = 0;

  get empty(): boolean {
    return this.#head === this.#records.length;
  }

  /** Records a write that is about to begin; returns its token. */
  add(record: { lastIndex: number; snapshotIndex: number; promises: Message[] }): number {
    this.#lastToken++;
    this.#records.push({ token: this.#lastToken, ...record });
    return this.#lastToken;
  }

  /** Promises made while nothing needs writing wait for the newest write. The queue must not be empty. */
  addPromises(promises: readonly Message[]): void {
    this.#records[this.#records.length - 1]!.promises.push(...promises);
  }

  /**
   * The entries from `index` on are being replaced: what is on its way to the disk no longer makes them durable,
   * even if entries with the same terms come back later (they will have a record of their own).
   */
  clip(index: number): void {
    for (let i = this.#head; i < this.#records.length; i++) {
      const record = this.#records[i]!;
      if (record.lastIndex >= index) record.lastIndex = index - 1;
    }
  }

  /** Takes the oldest record if it is covered by `token`. */
  shift(token: number): PersistRecord | undefined {
    assert(token <= this.#lastToken, "raft: persisted a token that was never given out");
    const record = this.#records[this.#head];
    if (record === undefined || record.token > token) return undefined;
    this.#head++;
    if (this.#head === this.#records.length) {
      this.#records = [];
      this.#head = 0;
    }
    return record;
  }
}

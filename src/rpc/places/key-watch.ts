/** Watches a few keys for one call, and hands out what happens to them when it is asked for: nothing piles up. */
import type { Revision } from "../../lib/ids.ts";
import type { StoreEvent } from "../../mvcc/types.ts";
import type { WatchOptions, WatchSink } from "../../mvcc/watch/types.ts";
import type { WatchHub } from "../../mvcc/watch/watch-hub.ts";
import type { WatchStream } from "../../mvcc/watch/watch-stream.ts";

export interface Happened {
  readonly events: readonly StoreEvent[];
  /** The watched key has been seen up to here. */
  readonly revision: Revision;
}

export class KeyWatch implements WatchSink {
  readonly #stream: WatchStream;
  #watched: bigint[] = [];
  #happened: Happened[] = [];
  #lost = false;
  #wake = () => {};

  constructor(hub: WatchHub) {
    this.#stream = hub.openStream(this);
  }

  /** Watches these, and no longer what was watched before. */
  watch(keys: readonly WatchOptions[]): void {
    this.#forget();
    for (const key of keys) {
      const created = this.#stream.create(key);
      if ("id" in created) this.#watched.push(created.id);
      else this.#lost = true;
    }
  }

  /** What happened next to one of the keys; undefined if it cannot be told any more, or the watch was closed. */
  async next(): Promise<Happened | undefined> {
    while (this.#happened.length === 0 && !this.#lost && !this.#stream.closed) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#stream.drained();
      await woken;
    }
    return this.#happened.shift();
  }

  close(): void {
    this.#forget();
    this.#stream.close();
    this.#wake();
  }

  #forget(): void {
    for (const id of this.#watched.splice(0)) this.#stream.cancel(id);
    this.#happened = [];
    this.#lost = false;
  }

  // What the hub tells.

  events(_watcher: unknown, events: readonly StoreEvent[], revision: Revision): boolean {
    this.#happened.push({ events, revision });
    this.#wake();
    return false;
  }

  progress(): boolean {
    return true;
  }

  compacted(): boolean {
    this.#lost = true;
    this.#wake();
    return true;
  }
}

/**
 * Where a member's stores are: the one in use and, while a leader's snapshot takes its place, the next one. Which of two
 * is in use after a crash is not written down here: the log says so (see bootstrap.ts).
 */
import type { Backend } from "../../backend/backend.ts";

export interface StoreSlots {
  readonly current: Backend;
  /** A next store that is complete, and was found when the process started. */
  readonly next: Backend | undefined;
  /** An empty next store, in the place of whatever was there. Until `completeNext` a crash leaves nothing of it. */
  makeNext(): Promise<Backend>;
  /** The next store holds everything, durably. */
  completeNext(): Promise<void>;
  /** Closes the next store, if there is one, and removes it. */
  dropNext(): Promise<void>;
  /** The next store is in use from now on. Gives the one that was. */
  useNext(): Backend;
  /** What was in use before is closed and can go. */
  removeOld(): Promise<void>;
}

/** Stores that no process outlives. `make` makes an empty one. */
export class MemorySlots implements StoreSlots {
  readonly #make: () => Backend;
  #current: Backend;
  #next: Backend | undefined;

  constructor(make: () => Backend, current: Backend = make()) {
    this.#make = make;
    this.#current = current;
  }

  get current(): Backend {
    return this.#current;
  }

  get next(): Backend | undefined {
    return this.#next;
  }

  async makeNext(): Promise<Backend> {
    await this.dropNext();
    this.#next = this.#make();
    return this.#next;
  }

  async completeNext(): Promise<void> {}

  async dropNext(): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    await next?.close();
  }

  useNext(): Backend {
    if (this.#next === undefined) throw new Error("there is no next store");
    const old = this.#current;
    this.#current = this.#next;
    this.#next = undefined;
    return old;
  }

  async removeOld(): Promise<void> {}
}

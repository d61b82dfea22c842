/**
 * Moves what was applied from the store's overlay to the backend, a generation at a time, and lets go of what is then no
 * longer needed: the log's old segments, and versions that were compacted. An answer never waits for any of this; only
 * when the overlay is full do proposals wait (`hasRoom`).
 */
import type { Backend } from "../backend/backend.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { RaftIndex } from "../lib/ids.ts";
import type { KeyValueStore } from "../mvcc/types.ts";

export interface StoreWriterLimits {
  /** A generation of so many bytes is written at once. */
  readonly generationBytes: number;
  /** A smaller one waits so long for more to come. */
  readonly generationDelayMs: number;
  /** With so many bytes in the overlay, proposals wait for the backend. */
  readonly overlayBytesMax: number;
}

export interface StoreWriterOptions {
  readonly store: KeyValueStore;
  readonly backend: Backend;
  readonly clock: Clock;
  readonly limits: StoreWriterLimits;
  /** Called before a generation is closed, and after entries were applied. */
  readonly note: () => void;
  /** A generation could not be written: the server has to stop, for what it answers next could not be kept. */
  readonly onFatal: (error: Error) => void;
  /** The overlay is over its limit. */
  readonly onFull: () => void;
  /** The overlay has room again. */
  readonly onRoom: () => void;
  /** A generation is in the backend (readable, not yet surely on the disk). */
  readonly onWritten: (applied: RaftIndex) => void;
  /** How long a generation took to be written. */
  readonly onCommitTime: (seconds: number) => void;
}

interface HoldWaiter {
  readonly index: RaftIndex;
  readonly resolve: (release: () => void) => void;
  readonly reject: (error: Error) => void;
}

function nothingToRelease(): void {
  // Nothing is written any more, so nothing is held up.
}

export class StoreWriter {
  readonly #options: StoreWriterOptions;
  #timer: Timer | undefined;
  #writing = false;
  #full = false;
  #stopped = false;
  /** Told when nothing is being written any more, and nothing will be. */
  #onHalted: (() => void) | undefined;
  #halted = false;
  /** Those who want the backend to stay as it is, once an index is in it. */
  #holdWaiters: HoldWaiter[] = [];
  #holds = 0;
  /** A generation could not be written, and nothing after it will be. */
  #failure: Error | undefined;

  constructor(options: StoreWriterOptions) {
    this.#options = options;
  }

  /** False while the overlay is over its limit. */
  get hasRoom(): boolean {
    return !this.#full;
  }

  /** To be called after entries were applied. */
  applied(): void {
    const { store, limits, clock } = this.#options;
    this.#options.note();
    if (!this.#full && store.overlayBytes > limits.overlayBytesMax) {
      this.#full = true;
      this.#options.onFull();
    }
    if (this.#writing || this.#stopped) return;
    if (store.overlayBytes >= limits.generationBytes || this.#holdWaiters.length > 0) this.#write();
    else this.#timer ??= clock.after(limits.generationDelayMs, () => this.#write());
  }

  /** Resolves when all that is applied now is in the backend. Rejects when it cannot be written. */
  async flush(): Promise<void> {
    const release = await this.hold();
    release();
  }

  /**
   * Resolves when all that is applied now is in the backend and nothing is being written; nothing will be until what it
   * gives is called. Proposals wait meanwhile if the overlay gets full, so it should be soon. Rejects when it cannot be
   * written.
   */
  hold(): Promise<() => void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#halted) return Promise.resolve(nothingToRelease);
    return new Promise((resolve, reject) => {
      this.#holdWaiters.push({ index: this.#options.store.position.appliedIndex, resolve, reject });
      if (!this.#writing) this.#write();
    });
  }

  /** Writes what is there, then nothing more. A failure to do so is told as any other, and no reason not to end: after a
   * start all of it is in the log. */
  async stop(): Promise<void> {
    await this.flush().catch(() => {});
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Writes nothing more, whatever was applied; resolves when nothing is being written. */
  halt(): Promise<void> {
    this.#stopped = true;
    this.#halted = true;
    this.#timer?.cancel();
    for (const { resolve } of this.#holdWaiters.splice(0)) resolve(nothingToRelease);
    if (!this.#writing || this.#failure) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onHalted = resolve;
    });
  }

  #grantHolds(): void {
    const { appliedIndex } = this.#options.backend.position;
    const granted = this.#holdWaiters.filter(({ index }) => index <= appliedIndex);
    this.#holdWaiters = this.#holdWaiters.filter(({ index }) => index > appliedIndex);
    for (const { resolve } of granted) {
      this.#holds++;
      let released = false;
      resolve(() => {
        if (released) return;
        released = true;
        this.#holds--;
        if (this.#holds === 0 && !this.#writing) this.#write();
      });
    }
  }

  #write(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#halted || this.#failure) return;
    this.#grantHolds();
    if (this.#holds > 0) return;
    const { store, backend } = this.#options;
    if (store.writeInProgress) return; // `applied` is called when it has ended
    this.#options.note();
    const generation = store.seal();
    if (!generation) return;
    this.#writing = true;
    const startMs = this.#options.clock.monotonicMs();
    backend.write(generation).then(
      () => {
        this.#options.onCommitTime((this.#options.clock.monotonicMs() - startMs) / 1000);
        this.#written(generation.appliedIndex);
      },
      (error: unknown) => this.#failed(error instanceof Error ? error : new Error(String(error))),
    );
  }

  #failed(error: Error): void {
    this.#failure = error;
    for (const { reject } of this.#holdWaiters.splice(0)) reject(error);
    this.#onHalted?.();
    this.#options.onFatal(error);
  }

  #written(applied: RaftIndex): void {
    const { store, limits, onWritten, onRoom } = this.#options;
    this.#writing = false;
    store.dropSealed();
    if (this.#halted) {
      this.#onHalted?.();
      return;
    }
    onWritten(applied);
    if (this.#full && store.overlayBytes <= limits.overlayBytesMax / 2) {
      this.#full = false;
      onRoom();
    }
    if (this.#full || this.#holdWaiters.length > 0) this.#write();
    else if (store.overlayBytes > 0) this.applied();
  }
}

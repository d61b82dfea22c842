/**
 * The physical part of compaction: once a compact revision is in the backend and no read needs what lies before it, the
 * backend removes superseded versions in the background. What a crash cut short is taken up again at the next start.
 */
import type { Backend, CompactionPace } from "../backend/backend.ts";
import type { Clock } from "../lib/clock.ts";
import { formatGoDuration } from "../lib/go-duration.ts";
import type { Revision } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import type { KeyValueStore } from "../mvcc/types.ts";

/** A read at an older revision may go on for so long after a compaction; then it fails as if it had come later. */
const readGraceMs = 5_000;

export interface CompactionPaceSettings {
  /** Versions looked at before each rest. */
  readonly batchRows: number;
  readonly restMs: number;
}

export interface CompactionRunnerOptions {
  readonly backend: Backend;
  readonly store: KeyValueStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `--compaction-batch-limit` and `--compaction-sleep-interval`. Undefined: as fast as it goes. */
  readonly pace?: CompactionPaceSettings | undefined;
  /** Called before versions are removed for `revision`; nothing is until it resolves. */
  readonly before?: (revision: Revision, signal: { readonly aborted: boolean }) => Promise<void>;
  readonly onFatal: (error: Error) => void;
  /** For metrics: versions removed, and how long it took. */
  readonly onFinished: (removed: number, tookMs: number) => void;
}

export class CompactionRunner {
  readonly #options: CompactionRunnerOptions;
  readonly #abort = { aborted: false };
  /** Ends the rest between two batches. */
  #wakeUp: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #waiting = false;
  /** Those who want the history to stay as it is. */
  #holds = 0;
  #waiters: { revision: number; resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(options: CompactionRunnerOptions) {
    this.#options = options;
  }

  /** Resolves when versions superseded at or before `revision` are gone, and surely so. */
  done(revision: number): Promise<void> {
    const { backend } = this.#options;
    if (backend.durable.compactedRevision >= revision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ revision, resolve, reject });
      this.poke();
    });
  }

  /** To be called after a generation was written, and at the start. */
  poke(): void {
    const { compactRevision, compactedRevision } = this.#options.backend.position;
    if (this.#running || this.#waiting || this.#abort.aborted) return;
    if (compactRevision <= 0 || compactedRevision >= compactRevision) {
      this.#wake();
      return;
    }
    if (this.#holds > 0) return;
    if (this.#options.store.oldestReadRevision < compactRevision) this.#waitForReads(compactRevision);
    else this.#running = this.#run(compactRevision);
  }

  /** Resolves when nothing is being removed; nothing will be until what it gives is called. */
  async hold(): Promise<() => void> {
    this.#holds++;
    while (this.#running) await this.#running;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#holds--;
      this.poke();
    };
  }

  async stop(): Promise<void> {
    this.#abort.aborted = true;
    this.#wakeUp?.();
    for (const { reject } of this.#waiters) reject(new Error("etcdserver: server stopped"));
    this.#waiters = [];
    await this.#running;
  }

  #waitForReads(revision: Revision): void {
    this.#waiting = true;
    this.#options.clock.after(readGraceMs, () => {
      this.#waiting = false;
      this.#options.store.expireReads(revision);
      this.poke();
    });
  }

  async #run(revision: Revision): Promise<void> {
    const { backend, clock, logger, onFinished, onFatal } = this.#options;
    const startMs = clock.monotonicMs();
    try {
      await this.#options.before?.(revision, this.#abort);
      const { removed } = await backend.compact(revision, this.#abort, this.#pace());
      const tookMs = clock.monotonicMs() - startMs;
      if (!this.#abort.aborted) {
        logger.info("finished scheduled compaction", {
          "compact-revision": revision,
          took: formatGoDuration(tookMs),
          "number-of-keys-compacted": removed,
        });
        onFinished(removed, tookMs);
      }
      if (this.#waiters.length > 0 && !this.#abort.aborted) await backend.sync();
    } catch (error) {
      this.#abort.aborted = true;
      onFatal(error instanceof Error ? error : new Error(String(error)));
      return;
    } finally {
      this.#running = undefined;
    }
    this.#wake();
    this.poke();
  }

  #pace(): CompactionPace | undefined {
    const { pace } = this.#options;
    if (pace === undefined) return undefined;
    return { batchRows: pace.batchRows, rest: () => this.#rest(pace.restMs) };
  }

  #rest(restMs: number): Promise<void> {
    if (this.#abort.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(restMs, () => this.#wakeUp?.());
      this.#wakeUp = () => {
        timer.cancel();
        this.#wakeUp = undefined;
        resolve();
      };
    });
  }

  #wake(): void {
    const { compactedRevision } = this.#options.backend.position;
    const ready = this.#waiters.filter((waiter) => waiter.revision <= compactedRevision);
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > compactedRevision);
    for (const { resolve } of ready) resolve();
  }
}

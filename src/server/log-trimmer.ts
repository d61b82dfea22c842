/**
 * Keeps the log short. When enough was applied since the last time, it makes the backend durable (the only moment at
 * which anybody waits for SQLite's own sync, and nobody who waits is a client), notes that in the log as a snapshot, and
 * lets go of what lies before: entries in memory, segments on disk.
 */
import type { Backend } from "../backend/backend.ts";
import type { RaftIndex, Term } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import type { ConfState } from "../lib/raft-entry.ts";
import type { Wal } from "../wal/wal.ts";

export interface LogTrimmerOptions {
  readonly backend: Backend;
  readonly wal: Wal;
  readonly logger: Logger;
  /** `--snapshot-count`: entries between two snapshots. */
  readonly snapshotCount: number;
  /** A log that grew by so many bytes is trimmed before `snapshotCount` is reached. */
  readonly logBytesMax: number;
  /** `--max-wals`: removed segments that are kept for a person to look at; 0 keeps none but those needed. */
  readonly keepSegments: number;
  readonly confState: () => ConfState;
  /** Entries up to here are in the backend: Raft may forget them. */
  readonly onSnapshot: (index: RaftIndex, term: Term, confState: ConfState) => void;
  readonly onFatal: (error: Error) => void;
}

export class LogTrimmer {
  readonly #options: LogTrimmerOptions;
  #lastIndex: RaftIndex;
  #lastBytes: number;
  #running: Promise<void> | undefined;
  #stopped = false;
  #holds = 0;

  constructor(options: LogTrimmerOptions, lastIndex: RaftIndex) {
    this.#options = options;
    this.#lastIndex = lastIndex;
    this.#lastBytes = options.wal.sizeBytes;
  }

  /** The applied index of the last snapshot. */
  get snapshotIndex(): RaftIndex {
    return this.#lastIndex;
  }

  /** To be called after a generation was written. */
  poke(): void {
    const { backend, wal, snapshotCount, logBytesMax } = this.#options;
    if (this.#running || this.#stopped || this.#holds > 0) return;
    const due =
      backend.position.appliedIndex - this.#lastIndex >= snapshotCount ||
      wal.sizeBytes - this.#lastBytes >= logBytesMax;
    if (due) this.#running = this.#trim();
  }

  /** Resolves when no snapshot is being noted in the log; none is until what it gives is called. */
  async hold(): Promise<() => void> {
    this.#holds++;
    while (this.#running) await this.#running;
    return () => {
      this.#holds--;
      this.poke();
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #trim(): Promise<void> {
    const { backend, wal, onSnapshot, keepSegments, onFatal, logger } = this.#options;
    try {
      const { appliedIndex, appliedTerm } = backend.position;
      // The configuration may have changed since that index; Raft is told of changes again when they are applied again.
      const confState = this.#options.confState();
      await backend.sync();
      const snapshot = { index: appliedIndex, term: appliedTerm, confState };
      await new Promise<void>((resolve, reject) => {
        wal.save({ entries: [], snapshot, mustSync: true }, (error) => (error ? reject(error) : resolve()));
      });
      onSnapshot(appliedIndex, appliedTerm, confState);
      wal.release(appliedIndex, keepSegments);
      this.#lastIndex = appliedIndex;
      this.#lastBytes = wal.sizeBytes;
      logger.debug("saved snapshot", { "snapshot-index": appliedIndex });
    } catch (error) {
      this.#stopped = true;
      onFatal(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#running = undefined;
    }
  }
}

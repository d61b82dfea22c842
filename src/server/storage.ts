/**
 * A store with all that serves it: what writes it, compacts it, trims the log behind it and copies it. When a leader's
 * snapshot takes the place of a member's store, a second one of these takes the place of the first.
 */
import type { Backend } from "../backend/backend.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Steps } from "../lib/steps.ts";
import type { MvccStore } from "../mvcc/store.ts";
import type { RawNode } from "../raft/raw-node.ts";
import type { Wal } from "../wal/wal.ts";
import { type CompactionPaceSettings, CompactionRunner } from "./compaction-runner.ts";
import { CompactionHashes } from "./corruption/compaction-hashes.ts";
import { LogTrimmer } from "./log-trimmer.ts";
import { RevisionTimes } from "./revision-times.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import { SnapshotMaker } from "./snapshot/database-snapshot.ts";
import { StoreWriter, type StoreWriterLimits } from "./store-writer.ts";

export interface StorageOptions {
  readonly backend: Backend;
  readonly store: MvccStore;
  readonly wal: Wal;
  readonly node: RawNode;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ServerMetrics;
  readonly limits: StoreWriterLimits;
  readonly snapshotCount: number;
  readonly logBytesMax: number;
  readonly keepWalSegments: number;
  readonly compactionPace: CompactionPaceSettings | undefined;
  readonly runSteps: <T>(
    steps: Steps<T>,
    done: (value: T) => void,
    failed: (error: EtcdError) => void,
    isCancelled: () => boolean,
  ) => void;
  /** The overlay is over its limit. */
  readonly onFull: () => void;
  /** The overlay has room again. */
  readonly onRoom: () => void;
  readonly onFatal: (error: Error) => void;
}

/** How long reads of a store that was replaced may go on. */
const retireGraceMs = 5_000;
const retireLookMs = 100;

export class Storage {
  readonly backend: Backend;
  readonly store: MvccStore;
  readonly writer: StoreWriter;
  readonly compaction: CompactionRunner;
  readonly hashes: CompactionHashes;
  readonly trimmer: LogTrimmer;
  readonly snapshots: SnapshotMaker;
  readonly times: RevisionTimes;
  readonly #clock: Clock;

  constructor(options: StorageOptions) {
    const { backend, store, clock, logger, metrics, onFatal, node } = options;
    this.backend = backend;
    this.store = store;
    this.#clock = clock;
    this.times = new RevisionTimes(store, clock);
    this.writer = new StoreWriter({
      store,
      note: () => this.times.note(),
      backend,
      clock,
      limits: options.limits,
      onFatal,
      onFull: options.onFull,
      onRoom: options.onRoom,
      onWritten: () => {
        this.compaction.poke();
        this.trimmer.poke();
      },
      onCommitTime: (seconds) => metrics.backendCommitSeconds.observe(seconds),
    });
    this.hashes = hashesOf(options);
    this.compaction = new CompactionRunner({
      pace: options.compactionPace,
      before: (revision, signal) => this.hashes.make(revision, signal),
      backend,
      store,
      clock,
      logger: logger.at("server/compaction-runner.ts"),
      onFatal,
      onFinished: (removed, tookMs) => {
        metrics.compactedKeys.inc(removed);
        metrics.compactionMs.observe(tookMs);
        metrics.lastCompactionAtSeconds.set(Math.floor(clock.wallMs() / 1000));
      },
    });
    this.trimmer = new LogTrimmer(
      {
        backend,
        wal: options.wal,
        logger: logger.at("server/log-trimmer.ts"),
        snapshotCount: options.snapshotCount,
        logBytesMax: options.logBytesMax,
        keepSegments: options.keepWalSegments,
        confState: () => node.confState,
        onSnapshot: (index, _term, confState) => node.createSnapshot(index, confState),
        onFatal,
      },
      backend.durable.appliedIndex,
    );
    this.snapshots = new SnapshotMaker({
      backend,
      holdWrites: () => this.writer.hold(),
      holdCompaction: () => this.compaction.hold(),
      runSteps: options.runSteps,
      monotonicMs: () => clock.monotonicMs(),
    });
  }

  /** Ends all work on the store; with `flush` after what was applied is written. */
  async stop(options: { readonly flush: boolean }): Promise<void> {
    this.snapshots.stop();
    await this.compaction.stop();
    await this.trimmer.stop();
    if (options.flush) await this.writer.stop();
  }

  /** Another store has taken this one's place: nothing is written here any more. Resolves when nothing is being written. */
  async halt(): Promise<void> {
    this.snapshots.stop();
    await this.writer.halt();
    await this.compaction.stop();
    await this.trimmer.stop();
  }

  /** Closes a halted store once nobody reads it, after a while in any case. */
  async retire(): Promise<void> {
    const endMs = this.#clock.monotonicMs() + retireGraceMs;
    while (this.store.pins.oldest !== undefined && this.#clock.monotonicMs() < endMs) {
      await new Promise<void>((resolve) => this.#clock.after(retireLookMs, resolve));
    }
    this.store.pins.expireAll();
    await this.backend.close();
  }
}

function hashesOf({ store, logger, runSteps }: StorageOptions): CompactionHashes {
  return new CompactionHashes({
    logger: logger.at("server/corruption/compaction-hashes.ts"),
    hash: (revision, previous) => store.hashByRevision(revision, previous),
    run: (steps) => new Promise((resolve, reject) => runSteps(steps, resolve, reject, () => false)),
  });
}

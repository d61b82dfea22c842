/**
 * A snapshot of a running store as a database file: everything at one position, sent while the store goes on.
 *
 * What stands still, and for how long: the writing of generations while the small buckets are copied (milliseconds), and
 * the removal of compacted versions until the file is sent, because both passes have to find the same history.
 */
import type { BackendPosition } from "../../backend/backend.ts";
import { planDatabase } from "../../bbolt/plan-database.ts";
import { writeDatabase } from "../../bbolt/write-database.ts";
import type { EtcdError } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import { type ConfState, emptyConfState } from "../../lib/raft-entry.ts";
import type { Steps } from "../../lib/steps.ts";
import { storedConfState } from "../../membership/conf-state-row.ts";
import { bucketsAt, copyPlainBuckets, type SnapshotBackend } from "./store-buckets.ts";

/** Snapshots that may be under way at once; each keeps compacted versions from being removed. */
const snapshotsMax = 16;
/** One that nobody reads from for so long is given up, for the same reason. */
const idleMsMax = 10 * 60_000;

export interface DatabaseSnapshot {
  /** What it holds: the position of the backend when it was taken. */
  readonly position: BackendPosition;
  /** Raft's configuration at that position. */
  readonly confState: ConfState;
  /** Of the file. */
  readonly totalBytes: number;
  /** The file's next bytes, `undefined` for a pause; done at its end. */
  readonly chunks: Generator<Uint8Array | undefined, void, undefined>;
  /** Lets go of everything. To be called at the end, whichever way it ended. */
  close(): void;
}

/** Who asked for a snapshot. */
export interface SnapshotReader {
  /** True when nobody waits any more. */
  isCancelled(): boolean;
  /** The snapshot is given up: there will be no more chunks. */
  onGivenUp(error: EtcdError): void;
}

export interface SnapshotMakerOptions {
  readonly backend: SnapshotBackend;
  /** Resolves when all that is applied now is in the backend; nothing more is written until it is released. */
  readonly holdWrites: () => Promise<() => void>;
  /** Resolves when no compacted versions are being removed; none are until it is released. */
  readonly holdCompaction: () => Promise<() => void>;
  readonly runSteps: <T>(
    steps: Steps<T>,
    done: (value: T) => void,
    failed: (error: EtcdError) => void,
    isCancelled: () => boolean,
  ) => void;
  readonly monotonicMs: () => number;
}

export class SnapshotMaker {
  readonly #options: SnapshotMakerOptions;
  readonly #open = new Set<SnapshotHold>();

  constructor(options: SnapshotMakerOptions) {
    this.#options = options;
  }

  /** Rejects with etcd's errors. */
  async open(reader: SnapshotReader): Promise<DatabaseSnapshot> {
    if (this.#open.size >= snapshotsMax) throw errors.tooManyRequests();
    const { monotonicMs } = this.#options;
    const hold = new SnapshotHold(reader, monotonicMs, () => this.#open.delete(hold));
    this.#open.add(hold);
    try {
      return await this.#prepare(hold);
    } catch (error) {
      hold.close();
      throw error;
    }
  }

  /** To be called now and then: gives up snapshots that nobody reads from. */
  tick(nowMs: number): void {
    for (const hold of this.#open) if (nowMs - hold.usedMs > idleMsMax) hold.giveUp(errors.timeout());
  }

  /** The server stops. */
  stop(): void {
    for (const hold of this.#open) hold.giveUp(errors.stopped());
  }

  async #prepare(hold: SnapshotHold): Promise<DatabaseSnapshot> {
    const { backend, holdWrites, holdCompaction } = this.#options;
    hold.keep(await holdCompaction());
    const releaseWrites = await holdWrites();
    let position: BackendPosition;
    let confState: ConfState;
    let buckets: ReturnType<typeof bucketsAt>;
    try {
      position = backend.position;
      confState = storedConfState(backend) ?? emptyConfState;
      const copies = await this.#run(copyPlainBuckets(backend), hold);
      buckets = bucketsAt(backend, position.revision, copies);
    } finally {
      releaseWrites();
    }
    const plan = await this.#run(planDatabase(buckets), hold);
    return {
      position,
      confState,
      totalBytes: plan.bytes,
      chunks: hold.whileUsed(writeDatabase(buckets, plan)),
      close: () => hold.close(),
    };
  }

  /** Rejects when the snapshot is closed or its reader gone. */
  #run<T>(steps: Steps<T>, hold: SnapshotHold): Promise<T> {
    return new Promise((resolve, reject) => {
      function* watched(): Steps<T> {
        let cutOff = true;
        try {
          const result = yield* steps;
          cutOff = false;
          return result;
        } catch (error) {
          cutOff = false;
          throw error;
        } finally {
          if (cutOff) reject(errors.contextCanceled());
        }
      }
      // Steps that never began have no end that could be noticed.
      if (hold.isOver()) reject(errors.contextCanceled());
      else this.#options.runSteps(watched(), resolve, reject, () => hold.isOver());
    });
  }
}

/** What a snapshot holds on to, from when it is asked for to its end. */
class SnapshotHold {
  readonly #reader: SnapshotReader;
  readonly #monotonicMs: () => number;
  readonly #onClose: () => void;
  #release: (() => void) | undefined;
  #closed = false;
  /** When it was made or last read from. */
  usedMs: number;

  constructor(reader: SnapshotReader, monotonicMs: () => number, onClose: () => void) {
    this.#reader = reader;
    this.#monotonicMs = monotonicMs;
    this.#onClose = onClose;
    this.usedMs = monotonicMs();
  }

  isOver(): boolean {
    return this.#closed || this.#reader.isCancelled();
  }

  /** `release` is called when it ends. */
  keep(release: () => void): void {
    if (this.#closed) release();
    else this.#release = release;
  }

  *whileUsed<T>(chunks: Generator<T, void, undefined>): Generator<T, void, undefined> {
    for (const chunk of chunks) {
      if (this.#closed) throw errors.contextCanceled();
      this.usedMs = this.#monotonicMs();
      yield chunk;
    }
  }

  giveUp(error: EtcdError): void {
    this.close();
    this.#reader.onGivenUp(error);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#release?.();
    this.#onClose();
  }
}

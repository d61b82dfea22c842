/**
 * The contract of the write-ahead log. DESIGN.md beside this file describes the files; `open.ts` makes one.
 */
import type { RaftIndex } from "../lib/ids.ts";
import type { Entry, HardState, SnapshotMark } from "../lib/raft-entry.ts";

export interface WalOptions {
  /** The folder of the segments; made if missing. */
  readonly dir: string;
  /** When a segment is cut. Default 16 MiB (etcd: 64 MiB; ours is smaller because a start reads the last ones). */
  readonly segmentBytes?: number;
  /** False is `--unsafe-no-fsync`. Default true. */
  readonly sync?: boolean;
  /** Written at the head of every segment and checked on open: node id and cluster id. */
  readonly metadata: Uint8Array;
  /** Called with the seconds that each fdatasync took (the metric etcd_disk_wal_fsync_duration_seconds). */
  readonly onSync?: (seconds: number) => void;
  /** Called for what an operator should know: a repaired tail, a slow sync. */
  readonly onWarning?: (message: string, fields: Record<string, unknown>) => void;
}

/** What was found on disk. */
export interface WalContents {
  readonly metadata: Uint8Array;
  readonly hardState: HardState | undefined;
  /** The newest snapshot mark at or before the end of the log, if one was ever saved. */
  readonly snapshot: SnapshotMark | undefined;
  /** All entries after `from`, in order and without holes; later terms have replaced earlier ones. */
  readonly entries: Entry[];
}

/** A batch to make durable. All of it is durable, or after a crash a prefix of its records is. */
export interface WalBatch {
  readonly entries: readonly Entry[];
  readonly hardState?: HardState | undefined;
  readonly snapshot?: SnapshotMark | undefined;
  /** False when nothing in it needs to be on disk before an answer (only `commit` moved). */
  readonly mustSync: boolean;
}

/**
 * An open log. Batches become durable in the order of the calls. While one write + fdatasync is under way (in the
 * thread pool), later batches gather and then go out together: that is the group commit.
 */
export interface Wal {
  /** `done` is called once, never from inside `save`: with no error when the batch is durable. After an error the
   * log refuses everything: what is on disk is no longer known (fsync errors cannot be retried). */
  save(batch: WalBatch, done: (error?: Error) => void): void;
  /** Entries up to and including `index` are no longer needed: removes whole segments, but keeps the newest
   * `keepSegments` ones (`--max-wals`). Returns at once; removal happens in the background. */
  release(index: RaftIndex, keepSegments: number): void;
  /** Bytes on disk, for metrics. */
  readonly sizeBytes: number;
  /** Waits for what was saved, then closes the files. */
  close(): Promise<void>;
}

/** Damage that is not a torn tail. The message names the file and the byte offset. */
export class WalCorruptError extends Error {
  readonly file: string;
  readonly offset: number;
  constructor(file: string, offset: number, what: string) {
    super(`wal: ${what} in ${file} at offset ${offset}`);
    this.name = "WalCorruptError";
    this.file = file;
    this.offset = offset;
  }
}

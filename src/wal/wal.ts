/**
 * The contract of the write-ahead log. DESIGN.md beside this file describes the files; `open.ts` makes one.
 */
import type { Clock } from "../lib/clock.ts";
import type { Disk } from "../lib/disk.ts";
import type { RaftIndex, Term } from "../lib/ids.ts";
import type { Entry, HardState, SnapshotMark } from "../lib/raft-entry.ts";

export interface WalOptions {
  /** The folder of the segments; made if missing. */
  readonly dir: string;
  /** When a segment is cut. Default 16 MiB (etcd: 64 MiB; ours is smaller because a start reads the last ones). */
  readonly segmentBytes?: number;
  /** False is `--unsafe-no-fsync`. Default true. */
  readonly sync?: boolean;
  /** Written at the head of every segment and checked on open: node id and cluster id. Empty: whatever is there is
   * taken (see `WalContents.metadata`), and a new log has none. */
  readonly metadata: Uint8Array;
  /** Called with the seconds that each durable write took (the metric etcd_disk_wal_fsync_duration_seconds). */
  readonly onSync?: (seconds: number) => void;
  /** Called for what an operator should know: a repaired tail, a slow sync. */
  readonly onWarning?: (message: string, fields: Record<string, unknown>) => void;
  /** The machine's unless given. */
  readonly disk?: Disk;
  readonly clock?: Clock;
  /** A random 32-bit number, unpredictable for clients. The machine's unless given. */
  readonly random?: () => number;
}

/** What was found on disk. */
export interface WalContents {
  readonly metadata: Uint8Array;
  readonly hardState: HardState | undefined;
  /** The newest snapshot mark at or before the end of the log, if one was ever saved. When it is newer than what was
   * asked for, `entries` may begin only after it: the store needs that snapshot first. */
  readonly snapshot: SnapshotMark | undefined;
  /** All entries after `from`, in order and without holes; later terms have replaced earlier ones. */
  readonly entries: Entry[];
  /** Where the log ends: the last entry, or the snapshot mark if that is newer. */
  readonly lastIndex: RaftIndex;
  /** 0 where nothing was ever written. */
  readonly lastTerm: Term;
  /** True when there was no log and one has just been made. */
  readonly created: boolean;
}

/** A batch to make durable. All of it is durable, or after a crash a prefix of its records is. */
export interface WalBatch {
  /** The first follows the log's last entry (or the snapshot of this batch), or replaces one before it. */
  readonly entries: readonly Entry[];
  readonly hardState?: HardState | undefined;
  /** Comes before the entries: when it is beyond the end of the log, or in conflict with the entry at its index, the
   * log goes on after it. */
  readonly snapshot?: SnapshotMark | undefined;
  /** False when nothing in it needs to be on disk before an answer (only `commit` moved). */
  readonly mustSync: boolean;
}

/**
 * An open log. Batches become durable in the order of the calls. While one write is under way (in the thread pool),
 * later batches gather and then go out together: that is the group commit.
 */
export interface Wal {
  /** `done` is called once, never from inside `save`: with no error when the batch is durable (a batch that need not
   * be: when all before it are). After an error the log refuses everything: what is on disk is no longer known (sync
   * errors cannot be retried). Throws an AssertionError for a batch that does not fit the log. */
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

/** The log is of another member or cluster than the one that opens it. */
export class WalMetadataError extends Error {
  readonly found: Uint8Array;
  constructor(file: string, found: Uint8Array) {
    super(`wal: ${file} belongs to another member or cluster (its metadata differs)`);
    this.name = "WalMetadataError";
    this.found = found;
  }
}

/** The disk refused something. `code` is the system's: ENOSPC, EROFS, EIO, EACCES and so on. */
export class WalIoError extends Error {
  readonly file: string;
  readonly code: string;
  constructor(doing: string, file: string, cause: unknown) {
    const code = (cause as { code?: unknown } | undefined)?.code;
    const text = cause instanceof Error ? cause.message : String(cause);
    const known = typeof code === "string" ? plainWords[code] : undefined;
    super(`wal: cannot ${doing} ${file}: ${known === undefined ? text : `${known} (${code})`}`, { cause });
    this.name = "WalIoError";
    this.file = file;
    this.code = typeof code === "string" ? code : "";
  }
}

const plainWords: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on device",
  EDQUOT: "disk quota exceeded",
  EROFS: "read-only file system",
  EIO: "input/output error",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EFBIG: "file too large",
  EMFILE: "too many open files",
  ENOTDIR: "not a directory",
};

/** The result of `work`, whose error says what could not be done to which file. */
export async function explained<T>(doing: string, file: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new WalIoError(doing, file, cause);
  }
}

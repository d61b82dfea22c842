/**
 * The contract between `mvcc` and whatever keeps the data: SQLite, memory, or a third of your own. DESIGN.md beside
 * this file tells how to write one; `contract.test.ts` is the suite that every implementation has to pass.
 *
 * A backend holds what has been written to it and nothing newer. `mvcc` keeps the newest changes in an overlay of
 * generations, answers from overlay and backend together, and hands each full generation over with `write`. All reads
 * are synchronous and bounded by their `limit`; all writes happen elsewhere (a worker) and end in a promise.
 *
 * A generation becomes readable at some moment between the call of `write` and the end of its promise: even two reads
 * of one turn may see the states before and after it. A reader that must not notice asks for a revision that is not
 * newer than `position.revision`; answers for those do not change (`newestHead` and `keysOfLease` have no revision:
 * for keys in a generation that is still being written, ask the overlay first).
 *
 * Reads are right for revisions at or above the newest `compactRevision` that was handed over. Below it they may or
 * may not still find what was there.
 *
 * Damage is found when it is read, and is thrown as a BackendCorruptError (errors.ts); it is never served.
 *
 * Keys are "binary strings": one UTF-16 unit (0..255) a byte, so that comparing strings compares bytes, and a key can
 * be a Map's key. `lib/binary-key.ts` converts.
 */
import type { LeaseId, RaftIndex, Revision, Term } from "../lib/ids.ts";

/** A key as a binary string. */
export type BinaryKey = string;

/** What is known of a key's version without its value. */
export interface VersionHead {
  readonly key: BinaryKey;
  /** The revision of the transaction that wrote it, and its place in that transaction. */
  readonly modRevision: Revision;
  readonly sub: number;
  /** 0 for a tombstone, like `version` and `lease`. */
  readonly createRevision: Revision;
  /** 1 for a key's first put since it was created; 0 marks a deletion (a tombstone). */
  readonly version: number;
  readonly lease: LeaseId;
}

export interface Version extends VersionHead {
  readonly value: Uint8Array;
}

/** Keys from `from` (included) to `to` (left out); `to` undefined means to the end of all keys. */
export interface KeySpan {
  readonly from: BinaryKey;
  readonly to: BinaryKey | undefined;
}

/** A small durable table beside the keys: leases, alarms, members, users. Names are etcd's bucket names. */
export interface MetaChange {
  readonly bucket: string;
  readonly key: BinaryKey;
  /** Undefined deletes. */
  readonly value: Uint8Array | undefined;
}

/** How far the data of a backend reaches. */
export interface BackendPosition {
  /** The newest revision written. 1 when empty, as in etcd. */
  readonly revision: Revision;
  /** The last log entry whose effects are all in; the log is replayed from the next one. 0 when empty. */
  readonly appliedIndex: RaftIndex;
  readonly appliedTerm: Term;
  /** Versions superseded at or before this revision may be gone (logically compacted). 0 or -1: never. */
  readonly compactRevision: Revision;
  /** The physical part of compaction is finished up to this revision. */
  readonly compactedRevision: Revision;
}

/** One overlay generation: applied in one durable-together transaction, all or nothing. The arrays and the bytes in
 * them may be read until the promise of `write` ends, so they must not change before. */
export interface Generation {
  /** In order of (modRevision, sub), each newer than everything written before. */
  readonly versions: readonly Version[];
  readonly meta: readonly MetaChange[];
  readonly appliedIndex: RaftIndex;
  readonly appliedTerm: Term;
  readonly revision: Revision;
  readonly compactRevision: Revision;
  /** True for versions that another store has kept, after it removed compacted ones: a key that is not known here may
   * begin with any version. */
  readonly isImport?: boolean;
  /** More of the import follows. What was imported need not be readable before a generation without this, and then is as
   * a whole. */
  readonly importGoesOn?: boolean;
}

export interface ScanOptions {
  /** See the keys as they were right after this revision. */
  readonly atRevision: Revision;
  /** At most so many rows, of which tombstones are none. */
  readonly limit: number;
  /** From the span's end to its beginning. */
  readonly descending?: boolean;
  /** Leave values empty. */
  readonly keysOnly?: boolean;
}

export interface ScanPartOptions extends ScanOptions {
  /** Stop after the row that brings the keys and values read to so many bytes. Default: no limit. */
  readonly bytes?: number;
  /** Stop after so many keys, dead ones (deleted, or not yet there at `atRevision`) included, so that a call is short
   * over any data. Default: 5,000. */
  readonly visits?: number;
}

export interface ScanPart {
  readonly rows: Version[];
  /** What is left of the span, or undefined when it is exhausted. Not every part has a row. */
  readonly rest: KeySpan | undefined;
}

/** How much of a compaction is done in one go, and what comes between two of them. */
export interface CompactionPace {
  /** Versions looked at before each rest. */
  readonly batchRows: number;
  /** Not called after the last batch. */
  readonly rest: () => Promise<void>;
}

export interface CompactionProgress {
  /** Versions removed by this compaction. */
  readonly removed: number;
}

export interface Backend {
  readonly name: string;
  /** What is readable for certain. */
  readonly position: BackendPosition;
  /** What survives a loss of power: at or behind `position`. A log whose entries are all at or before
   * `durable.appliedIndex` is no longer needed for a start. */
  readonly durable: BackendPosition;

  /** The newest version of a key with modRevision <= atRevision, tombstones included; undefined if there is none. */
  versionAt(key: BinaryKey, atRevision: Revision): Version | undefined;
  /** The same without the value, and only for the newest: the read that every put of a known key needs. */
  newestHead(key: BinaryKey): VersionHead | undefined;
  /**
   * For each key of the span in key order its newest version with modRevision <= atRevision, but only those keys
   * whose answer is not a tombstone. A shorter answer than `limit` means that the span is exhausted. Goes over any
   * number of dead keys to fill the limit and reads any number of bytes: `scanPart` is for spans of unknown size.
   */
  scan(span: KeySpan, options: ScanOptions): Version[];
  /** A bounded piece of a scan; go on with `rest` as the span. */
  scanPart(span: KeySpan, options: ScanPartOptions): ScanPart;
  /**
   * How many keys of the span live at `atRevision`, going over at most `limit` rows (fewer when answers for them lie
   * in the past and are dearer). `next` is where to go on, or undefined at the end.
   */
  count(span: KeySpan, atRevision: Revision, limit: number): { count: number; next: BinaryKey | undefined };
  /** All versions, tombstones included, in order of (modRevision, sub), strictly after (revision, sub), at most
   * `limit` rows, ending with the row that brings keys and values to `bytes` bytes: what a watcher that starts in the
   * past reads. Nothing newer than `position.revision` at the time of the call. An empty answer is the end. */
  history(after: { revision: Revision; sub: number }, limit: number, bytes: number): Version[];
  /** Keys whose newest version is live and attached to `lease`, in key order, strictly after `after`. */
  keysOfLease(lease: LeaseId, after: BinaryKey | undefined, limit: number): BinaryKey[];

  /** The rows of a bucket in key order, strictly after `after`. */
  meta(bucket: string, after: BinaryKey | undefined, limit: number): { key: BinaryKey; value: Uint8Array }[];

  /** Hands a generation over; calls may follow each other without waiting, and are done in their order. Resolves when
   * it is readable here; a rejection is fatal for the server: nothing more is written then. */
  write(generation: Generation): Promise<void>;
  /** Makes `durable` catch up with what `position` is now. */
  sync(): Promise<void>;
  /**
   * Physically removes versions superseded at or before `revision`, and tombstones before it, in the background, in
   * small transactions. A tombstone at that very revision stays, as in etcd, for a watch may start there. Call only after a generation with that compactRevision was written. Calls
   * follow each other; one that was aborted or cut off by a crash goes on where it was when compact is called again.
   */
  compact(
    revision: Revision,
    signal?: { readonly aborted: boolean },
    pace?: CompactionPace,
  ): Promise<CompactionProgress>;
  /** Gives free pages back to the file system while reads and writes go on. */
  defragment(signal?: { readonly aborted: boolean }): Promise<void>;

  /** Allocated size on disk (etcd's db size), and the part in use, in bytes. May be a few seconds old. */
  sizes(): { totalBytes: number; inUseBytes: number };
  /** Waits for what was handed over, then closes. */
  close(): Promise<void>;
}

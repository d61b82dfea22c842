/**
 * What `mvcc` offers to `server` and `rpc`. DESIGN.md beside this file explains overlay, generations and watchers.
 *
 * Nothing here has a clock, a file or a promise. Reads and writes that may touch many keys are `Steps` (see
 * lib/steps.ts); those that touch one key are plain calls.
 */

import type { BackendPosition, BinaryKey, Generation, MetaChange, Version } from "../backend/backend.ts";
import type {
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
} from "../codec/kv.ts";
import type { LeaseId, RaftIndex, Revision, Term } from "../lib/ids.ts";
import type { Steps } from "../lib/steps.ts";
import type { Level, LevelRequest } from "./read/level.ts";
import type { Meter } from "./read/range.ts";

/** What the store asks of the lessor while it applies puts and deletes. */
export interface LeaseBook {
  has(lease: LeaseId): boolean;
}

/** One change of a revision, in the order of its transaction. */
export interface StoreEvent {
  readonly kind: "put" | "delete";
  readonly modRevision: Revision;
  /** The key as a binary string. */
  readonly binaryKey: BinaryKey;
  /** The new version; for a delete the key and the revision, and nothing else. */
  readonly kv: KeyValue;
  /**
   * The key as it was before this revision, if it lived then and that revision is not compacted. A put that creates
   * its key has none. Looked up only when somebody asks for it.
   */
  readonly prevKv: KeyValue | undefined;
  /** The event as it stands in a WatchResponse, tag included. Encoded once for all watchers that want the same. */
  bytes(withPrevKv: boolean): Uint8Array;
}

/** The answer to a Range, with the revision for its header: the store's when the read began (not the one asked for). */
export interface RangeResult extends RangeResponse {
  readonly revision: Revision;
}

/** What HashKV answers. */
export interface RevisionHash {
  readonly hash: number;
  readonly hashRevision: Revision;
  readonly compactRevision: Revision;
  /** The store's revision when the hash was begun: for the header. */
  readonly revision: Revision;
}

/** Changes in order, whole revisions only. */
export interface ChangeSlice {
  readonly versions: readonly Version[];
  /** All changes up to and including this revision are in, or came before. */
  readonly upTo: Revision;
}

/**
 * The transactional key-value part. Reads see `revision`; a write in progress is invisible until its end.
 *
 * Rules for whoever drives it. Entries are applied one after the other: an `apply…` that returns Steps is driven to its
 * end before the next one is called. A refused entry (an EtcdError thrown) counts as applied. All calls for one entry
 * happen without a `seal` between them. A read that is given up has to be ended with `return()`, or it holds its
 * revision (see `oldestReadRevision`) for good.
 */
export interface KeyValueStore {
  /** The revision that reads see now. */
  readonly revision: Revision;
  /** Reads before this revision fail with ErrCompacted. -1 before the first compaction. */
  readonly compactRevision: Revision;
  /** A transaction is between two of its steps: `seal` has to wait for its end. */
  readonly writeInProgress: boolean;

  /**
   * The answer to a Range for one key when it can be given at once (no revision, filters or sorting to consider):
   * what most gets are.
   */
  get(key: Uint8Array): KeyValue | undefined;
  /** A Range in full. Throws etcd's errors (ErrCompacted, ErrFutureRev). Safe against writes and compactions that
   * happen between its steps. */
  range(request: RangeRequest): Steps<RangeResult>;
  /** The rows of a range in batches of at most `batchRows` rows or about `batchBytes` bytes, for RangeStream and
   * for answers that are encoded while they are read. Undefined is a pause. `meter` is told of the bytes of rows that
   * have to be kept until all are there, as sorting needs it. */
  rangeBatches(
    request: RangeRequest,
    batchRows: number,
    batchBytes: number,
    meter?: Meter,
  ): Generator<KeyValue[] | undefined, { count: number; more: boolean; revision: Revision }, undefined>;

  /** One level of the tree that a separator makes of the keys, at a revision (0 or less: the newest). Throws
   * ErrCompacted and ErrFutureRev. */
  listLevel(request: LevelRequest, revision: number): Steps<Level & { readonly revision: Revision }>;

  /** A key as it was at `revision`; undefined if it did not live then, or if that revision is compacted or in the
   * future. */
  keyValueAt(key: BinaryKey, revision: Revision): KeyValue | undefined;
  /** Changes after `after`, about `limitRows` of them or `limitBytes` bytes of values (but at least one revision). */
  changes(after: Revision, limitRows: number, limitBytes: number): Steps<ChangeSlice>;

  /** etcd's HashKV: over all versions up to `revision` (0 or less: the newest) that a compaction would leave. Throws
   * ErrCompacted or ErrFutureRev. With `compacted` it is counted as if that had been the last compaction: what etcd
   * keeps of a compaction is the hash at its revision since the compaction before, taken before versions go. */
  hashByRevision(revision: number, compacted?: Revision): Steps<RevisionHash>;
  /** A hash over everything: all versions that are left, and the rows of the given buckets. */
  hash(buckets: readonly string[]): Steps<number>;

  /**
   * The oldest revision that a read, a watcher or the overlay itself needs of the backend now. The backend must not be
   * compacted (physically) beyond it. Without reads it is the last revision whose generation was dropped.
   */
  readonly oldestReadRevision: Revision;
  /** Gives up reads that hold a revision before `before`: they fail with ErrCompacted at their next step. */
  expireReads(before: Revision): void;

  /** Applies one request as one revision. `index` and `term` are those of its log entry. */
  applyPut(request: PutRequest, index: RaftIndex, term: Term): PutResponse;
  applyDeleteRange(request: DeleteRangeRequest, index: RaftIndex, term: Term): Steps<DeleteRangeResponse>;
  /** With `skipRanges` (InternalRaftRequest's skip_range_execution) ranges in it are answered empty: only the member
   * that has to answer the client needs them. */
  applyTxn(request: TxnRequest, index: RaftIndex, term: Term, skipRanges?: boolean): Steps<TxnResponse>;
  /** Runs a transaction that only reads, which takes no entry and no revision. May be driven while
   * writes are applied between its steps: it sees one revision throughout. `meter` is told of the bytes of its rows. */
  readTxn(request: TxnRequest, meter?: Meter): Steps<TxnResponse>;
  /** Deletes the keys attached to a lease, in one revision (none if there are no keys). */
  applyLeaseRevoke(lease: LeaseId, index: RaftIndex, term: Term): Steps<number>;
  /** Sets the compact revision. Throws ErrCompacted or ErrFutureRev. The physical part is the backend's. */
  applyCompaction(revision: Revision, index: RaftIndex, term: Term): void;
  /** Durable rows of other modules; they enter the same generation as the keys of the same entry. */
  applyMeta(changes: readonly MetaChange[], index: RaftIndex, term: Term): void;
  /** An entry without effect on the store still moves the applied index. */
  applyNothing(index: RaftIndex, term: Term): void;

  /** Keys attached to a lease, in key order. */
  keysOfLease(lease: LeaseId): Steps<Uint8Array[]>;
  readMeta(bucket: string): Steps<Map<string, Uint8Array>>;

  /**
   * Bytes held by the overlay (both generations). Above its limit the server stops proposing until a write ends. Never 0
   * while `seal` has something to give, even if that is only an applied index or a compact revision.
   */
  readonly overlayBytes: number;
  /**
   * Closes the active generation so that it can be handed to the backend, or undefined if nothing was applied since
   * the last one, another one is still being written, or a transaction is in progress (`writeInProgress`: try again
   * when it has ended). After the backend has it, call `dropSealed`.
   */
  seal(): Generation | undefined;
  dropSealed(): void;
  /** Where overlay and backend together stand. */
  readonly position: BackendPosition;
}

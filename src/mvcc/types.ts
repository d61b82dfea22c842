/**
 * What `mvcc` offers to `server` and `rpc`. DESIGN.md beside this file explains overlay, generations and watchers.
 *
 * Nothing here has a clock, a file or a promise. Reads and writes that may touch many keys are `Steps` (see
 * lib/steps.ts); those that touch one key are plain calls.
 */
import type { BackendPosition, Generation, MetaChange } from "../backend/backend.ts";
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

/** What the store asks of the lessor while it applies puts and deletes. */
export interface LeaseBook {
  has(lease: LeaseId): boolean;
}

/** One change of a revision, in the order of its transaction. */
export interface StoreEvent {
  readonly kind: "put" | "delete";
  /** The key, also as a binary string, and its new version (for a delete: value empty, version 0, lease 0). */
  readonly binaryKey: string;
  readonly kv: KeyValue;
  /** The version before, if there was one. Looked up only when somebody asks for it. */
  readonly prevKv: KeyValue | undefined;
}

/** The transactional key-value part. Reads see `revision`; a write in progress is invisible until its end. */
export interface KeyValueStore {
  /** The revision that reads see now. */
  readonly revision: Revision;
  /** Reads before this revision fail with ErrCompacted. */
  readonly compactRevision: Revision;

  /**
   * The answer to a Range for one key when it can be given at once (no revision, filters or sorting to consider):
   * what most gets are.
   */
  get(key: Uint8Array): KeyValue | undefined;
  /** A Range in full. Throws etcd's errors (ErrCompacted, ErrFutureRev). Safe against writes and compactions that
   * happen between its steps. */
  range(request: RangeRequest): Steps<RangeResponse>;
  /** The rows of a range in batches of at most `batchRows` rows or about `batchBytes` bytes, for RangeStream and
   * for answers that are encoded while they are read. */
  rangeBatches(
    request: RangeRequest,
    batchRows: number,
    batchBytes: number,
  ): Generator<KeyValue[] | undefined, { count: number; more: boolean }, undefined>;

  /** Applies one request as one revision. `index` and `term` are those of its log entry. */
  applyPut(request: PutRequest, index: RaftIndex, term: Term): PutResponse;
  applyDeleteRange(request: DeleteRangeRequest, index: RaftIndex, term: Term): Steps<DeleteRangeResponse>;
  applyTxn(request: TxnRequest, index: RaftIndex, term: Term): Steps<TxnResponse>;
  /** Runs a transaction that only reads (`isReadOnlyTxn`), which takes no entry and no revision. */
  readTxn(request: TxnRequest): Steps<TxnResponse>;
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

  /** Bytes held by the overlay (both generations). Above its limit the server stops proposing until a write ends. */
  readonly overlayBytes: number;
  /**
   * Closes the active generation so that it can be handed to the backend, or undefined if it is empty or another
   * one is still being written. After the backend has it, call `dropSealed`.
   */
  seal(): Generation | undefined;
  dropSealed(): void;
  /** Where overlay and backend together stand. */
  readonly position: BackendPosition;
}

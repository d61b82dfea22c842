/** The key-value store: puts the pieces of overlay/, read/ and write/ behind the contract of types.ts. */
import type { BackendPosition, BinaryKey, Generation, MetaChange } from "../backend/backend.ts";
import type {
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  PutRequest,
  PutResponse,
  RangeRequest,
  TxnRequest,
  TxnResponse,
} from "../codec/kv.ts";
import { errors } from "../errors/table.ts";
import { fromBinaryKey, toBinaryKey } from "../lib/binary-key.ts";
import type { LeaseId, RaftIndex, Revision, Term } from "../lib/ids.ts";
import type { Steps } from "../lib/steps.ts";
import { keyBytesOf, toKeyValue } from "./overlay/generation.ts";
import type { ReadableBackend } from "./overlay/layers.ts";
import { Layers } from "./overlay/layers.ts";
import { changesAfter } from "./read/changes.ts";
import { hashAll, hashByRevision } from "./read/hash.ts";
import { leaseKeys } from "./read/lease-keys.ts";
import { type Level, type LevelRequest, readLevel } from "./read/level.ts";
import { metaRowAfter, readMeta } from "./read/meta.ts";
import { type Meter, rangeRows, readRevision, toKeyValues } from "./read/range.ts";
import type { RangeBatches } from "./read/range-batches.ts";
import { rangeInBatches } from "./read/range-batches.ts";
import { ReadPins, whilePinned } from "./read/read-pins.ts";
import { ReadView } from "./read/read-view.ts";
import type { ChangeSlice, KeyValueStore, LeaseBook, RangeResult, RevisionHash } from "./types.ts";
import { writeDeleteRange } from "./write/apply-delete-range.ts";
import type { KeyReader } from "./write/apply-put.ts";
import { checkPut, writePut } from "./write/apply-put.ts";
import { checkPlan, planTxn, runPlan, runReadPlan } from "./write/apply-txn.ts";

export interface StoreOptions {
  readonly backend: ReadableBackend;
  readonly leases: LeaseBook;
  /** Limit of the cache of hot backend values, in bytes. Default 4 MiB. */
  readonly cacheBytes?: number;
}

export class MvccStore implements KeyValueStore {
  readonly #layers: Layers;
  readonly #leases: LeaseBook;
  readonly #pins = new ReadPins();
  readonly #now: KeyReader = { versionAt: (key) => this.#layers.newest(key) };
  /** The applied index of the last generation that was sealed. */
  #sealedIndex: RaftIndex;

  constructor(options: StoreOptions) {
    this.#layers = new Layers(options.backend, options.cacheBytes);
    this.#leases = options.leases;
    this.#sealedIndex = this.#layers.appliedIndex;
  }

  get revision(): Revision {
    return this.#layers.revision;
  }

  get compactRevision(): Revision {
    return this.#layers.compactRevision;
  }

  get writeInProgress(): boolean {
    return this.#layers.writing;
  }

  get overlayBytes(): number {
    const { active, sealed, appliedIndex } = this.#layers;
    const unsealed = appliedIndex === this.#sealedIndex ? 0 : 1;
    return active.bytes + (sealed?.bytes ?? 0) + unsealed;
  }

  get position(): BackendPosition {
    const { revision, appliedIndex, appliedTerm, compactRevision, backend } = this.#layers;
    const { compactedRevision } = backend.position;
    return { revision, appliedIndex, appliedTerm, compactRevision, compactedRevision };
  }

  get oldestReadRevision(): Revision {
    const { baseRevision } = this.#layers;
    const { oldest } = this.#pins;
    return oldest === undefined || oldest > baseRevision ? baseRevision : oldest;
  }

  /** For the watch part, which holds the revision up to which all its watchers have their events. */
  get pins(): ReadPins {
    return this.#pins;
  }

  expireReads(before: Revision): void {
    this.#pins.expire(before);
  }

  get(key: Uint8Array): KeyValue | undefined {
    const version = this.#layers.newest(toBinaryKey(key));
    return version === undefined || version.version === 0 ? undefined : toKeyValue(version, key);
  }

  keyValueAt(key: BinaryKey, revision: Revision): KeyValue | undefined {
    const layers = this.#layers;
    if (revision < layers.compactRevision || revision > layers.revision) return undefined;
    const version = new ReadView(layers, revision).versionAt(key);
    if (version === undefined || version.version === 0) return undefined;
    return toKeyValue(version, keyBytesOf(version));
  }

  *range(request: RangeRequest): Steps<RangeResult> {
    const layers = this.#layers;
    const { revision: current, compactRevision } = layers;
    const revision = readRevision(request.revision, current, compactRevision);
    const view = new ReadView(layers, revision);
    const found = yield* whilePinned(this.#pins, view.backendRevision, rangeRows(view, request));
    const kvs = yield* toKeyValues(request, found.rows);
    return { kvs, count: found.count, more: found.more, revision: current };
  }

  *rangeBatches(request: RangeRequest, batchRows: number, batchBytes: number, meter?: Meter): RangeBatches {
    const layers = this.#layers;
    const { revision: current, compactRevision } = layers;
    const revision = readRevision(request.revision, current, compactRevision);
    const view = new ReadView(layers, revision);
    const batches = rangeInBatches(view, request, { rows: batchRows, bytes: batchBytes }, meter);
    const sums = yield* whilePinned(this.#pins, view.backendRevision, batches);
    return { ...sums, revision: current };
  }

  *listLevel(
    request: LevelRequest,
    requestedRevision: number,
  ): Steps<Level & { readonly revision: Revision }> {
    const layers = this.#layers;
    const { revision: current, compactRevision } = layers;
    const view = new ReadView(layers, readRevision(requestedRevision, current, compactRevision));
    const level = yield* whilePinned(this.#pins, view.backendRevision, readLevel(view, request));
    return { ...level, revision: current };
  }

  *readTxn(request: TxnRequest, meter?: Meter): Steps<TxnResponse> {
    const layers = this.#layers;
    const { compactRevision } = layers;
    const view = new ReadView(layers, layers.revision);
    // Its ranges may read any revision that is not compacted now.
    const oldest = Math.max(compactRevision, 0) as Revision;
    return yield* whilePinned(this.#pins, oldest, this.#readTxn(view, compactRevision, request, meter));
  }

  *#readTxn(
    view: ReadView,
    compacted: Revision,
    request: TxnRequest,
    meter: Meter | undefined,
  ): Steps<TxnResponse> {
    const plan = yield* planTxn(view, request);
    checkPlan(view, compacted, this.#leases, plan);
    return yield* runReadPlan(view, compacted, plan, meter);
  }

  changes(after: Revision, limitRows: number, limitBytes: number): Steps<ChangeSlice> {
    return changesAfter(this.#layers, after, { rows: limitRows, bytes: limitBytes });
  }

  hashByRevision(revision: number, compacted?: Revision): Steps<RevisionHash> {
    return hashByRevision(this.#layers, this.#pins, revision, compacted);
  }

  hash(buckets: readonly string[]): Steps<number> {
    return hashAll(this.#layers, this.#pins, buckets);
  }

  applyPut(request: PutRequest, index: RaftIndex, term: Term): PutResponse {
    const layers = this.#layers;
    layers.begin(index);
    let response: PutResponse;
    try {
      checkPut(this.#now, this.#leases, request);
      response = writePut(layers, request);
    } catch (error) {
      layers.cancel(index, term);
      throw error;
    }
    layers.commit(index, term);
    return response;
  }

  applyDeleteRange(request: DeleteRangeRequest, index: RaftIndex, term: Term): Steps<DeleteRangeResponse> {
    return this.#write(index, term, () => writeDeleteRange(this.#layers, request));
  }

  applyTxn(request: TxnRequest, index: RaftIndex, term: Term, skipRanges = false): Steps<TxnResponse> {
    return this.#write(index, term, () => this.#writeTxn(request, skipRanges));
  }

  *#writeTxn(request: TxnRequest, skipRanges: boolean): Steps<TxnResponse> {
    const layers = this.#layers;
    const before = new ReadView(layers, layers.revision);
    const plan = yield* planTxn(before, request);
    checkPlan(before, layers.compactRevision, this.#leases, plan);
    const response = yield* runPlan(layers, plan, skipRanges);
    return { ...response, revision: layers.writeRevision };
  }

  applyLeaseRevoke(lease: LeaseId, index: RaftIndex, term: Term): Steps<number> {
    return this.#write(index, term, () => this.#removeLeaseKeys(lease));
  }

  *#removeLeaseKeys(lease: LeaseId): Steps<number> {
    const layers = this.#layers;
    const keys = yield* leaseKeys(new ReadView(layers, layers.revision), lease);
    for (let i = 0; i < keys.length; i++) {
      layers.remove(keys[i]!, fromBinaryKey(keys[i]!));
      if (i % 256 === 255) yield;
    }
    return keys.length;
  }

  /** Drives one transaction from begin to commit. */
  *#write<T>(index: RaftIndex, term: Term, start: () => Steps<T>): Steps<T> {
    const layers = this.#layers;
    layers.begin(index);
    let finished = false;
    try {
      const result = yield* start();
      finished = true;
      return result;
    } finally {
      if (finished) layers.commit(index, term);
      else layers.cancel(index, term);
    }
  }

  applyCompaction(revision: Revision, index: RaftIndex, term: Term): void {
    const layers = this.#layers;
    this.applyNothing(index, term);
    if (revision <= layers.compactRevision) throw errors.compacted();
    if (revision > layers.revision) throw errors.futureRev();
    layers.compactRevision = revision;
  }

  applyMeta(changes: readonly MetaChange[], index: RaftIndex, term: Term): void {
    this.applyNothing(index, term);
    for (const change of changes) this.#layers.active.setMeta(change);
  }

  applyNothing(index: RaftIndex, term: Term): void {
    this.#layers.begin(index);
    this.#layers.commit(index, term);
  }

  *keysOfLease(lease: LeaseId): Steps<Uint8Array[]> {
    const layers = this.#layers;
    const keys = yield* leaseKeys(new ReadView(layers, layers.revision), lease);
    const bytes: Uint8Array[] = [];
    for (const key of keys) {
      bytes.push(fromBinaryKey(key));
      if (bytes.length % 1024 === 0) yield;
    }
    return bytes;
  }

  readMeta(bucket: string): Steps<Map<string, Uint8Array>> {
    return readMeta(this.#layers, bucket);
  }

  /** The first row of a bucket after a key. */
  metaRowAfter(bucket: string, after: BinaryKey): { key: BinaryKey; value: Uint8Array } | undefined {
    return metaRowAfter(this.#layers, bucket, after);
  }

  /** Rows that come from this member and not from the log. They go to the backend with what is applied now. */
  noteMeta(change: MetaChange): void {
    this.#layers.active.setMeta(change);
  }

  seal(): Generation | undefined {
    const layers = this.#layers;
    const { appliedIndex, appliedTerm, revision, compactRevision } = layers;
    if (layers.writing || layers.sealed !== undefined || appliedIndex === this.#sealedIndex) return undefined;
    this.#sealedIndex = appliedIndex;
    return layers.seal().handOver({
      appliedIndex,
      appliedTerm,
      revision,
      // To backends, "never compacted" is 0.
      compactRevision: Math.max(compactRevision, 0) as Revision,
    });
  }

  dropSealed(): void {
    this.#layers.dropSealed();
  }
}

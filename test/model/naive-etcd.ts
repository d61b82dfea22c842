/**
 * etcd's key space, as plainly as it can be said: one list of everything that ever happened, read from its beginning for
 * every question. Slow on purpose. What is right here is meant to be seen by reading; the real store is compared with
 * it (and it was itself compared with etcd 3.7.3: see README.md).
 */
import type {
  Compare,
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  RequestOp,
  ResponseOp,
  TxnRequest,
  TxnResponse,
} from "../../src/codec/kv.ts";
import { CompareResult, CompareTarget, SortOrder, SortTarget } from "../../src/codec/kv.ts";
import { errors } from "../../src/errors/table.ts";
import { fromBinaryKey, toBinaryKey } from "../../src/lib/binary-key.ts";
import type { LeaseId } from "../../src/lib/ids.ts";

/** Something that happened to a key. */
export interface Change {
  readonly kind: "put" | "delete";
  readonly key: string;
  readonly revision: number;
  /** The place in its revision. */
  readonly sub: number;
  /** For a put. */
  readonly kv: KeyValue;
}

type State = Map<string, KeyValue>;

const noBytes = new Uint8Array(0);
const toTheEnd = Uint8Array.of(0);

export class NaiveEtcd {
  readonly changes: Change[] = [];
  readonly leases = new Set<LeaseId>();
  revision = 1;
  compactRevision = -1;
  /** How many requests were refused that end an etcd. */
  panicsAvoided = 0;

  /** The living keys right after `revision`, in key order. Changes of the transaction in progress have the revision
   * after the current one. */
  stateAt(revision: number): State {
    const state: State = new Map();
    for (const change of this.changes) {
      if (change.revision > revision) break;
      if (change.kind === "put") state.set(change.key, change.kv);
      else state.delete(change.key);
    }
    return new Map([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Everything since `revision`, that one included, that concerns a key or range. */
  eventsSince(revision: number, key: Uint8Array, rangeEnd: Uint8Array): Change[] {
    return this.changes.filter((change) => change.revision >= revision && isIn(change.key, key, rangeEnd));
  }

  /** What a watcher with prev_kv gets beside an event: the key as it was at the revision before. */
  previous(change: Change): KeyValue | undefined {
    if (change.kind === "put" && change.kv.createRevision === change.revision) return undefined;
    return this.stateAt(change.revision - 1).get(change.key);
  }

  range(request: RangeRequest): RangeResponse {
    return this.#rangeAsOf(request, this.revision);
  }

  put(request: PutRequest): PutResponse {
    this.#checkPut(request);
    return this.#commit(() => this.#put(request));
  }

  deleteRange(request: DeleteRangeRequest): DeleteRangeResponse {
    return this.#commit(() => this.#delete(request));
  }

  txn(request: TxnRequest): TxnResponse {
    const before = this.stateAt(this.revision);
    const branches: boolean[] = [];
    const choose = (txn: TxnRequest): void => {
      const holds = txn.compare.every((compare) => compareHolds(before, compare));
      branches.push(holds);
      for (const op of holds ? txn.success : txn.failure) if (op.kind === "txn") choose(op.txn);
    };
    choose(request);
    this.#checkTxn(request, [...branches]);
    const response = this.#commit(() => this.#runTxn(request, branches));
    return { ...response, revision: this.revision };
  }

  compact(revision: number): void {
    if (revision <= this.compactRevision) throw errors.compacted();
    if (revision > this.revision) throw errors.futureRev();
    this.compactRevision = revision;
  }

  grant(lease: LeaseId): void {
    this.leases.add(lease);
  }

  revoke(lease: LeaseId): number {
    this.leases.delete(lease);
    const keys = this.keysOfLease(lease);
    this.#commit(() => {
      for (const key of keys) this.#remove(key);
    });
    return keys.length;
  }

  keysOfLease(lease: LeaseId): string[] {
    return [...this.stateAt(this.revision)].filter(([, kv]) => kv.lease === lease).map(([key]) => key);
  }

  /** The changes that count for HashKV at a revision. */
  hashed(revision: number, compacted = this.compactRevision): Change[] {
    const lives = this.stateAt(revision);
    // With nothing alive, etcd hashes what is there: what lived when it compacted. But a compaction keeps the tombstones
    // of its own revision while it hashes.
    const isOfCompaction = compacted !== this.compactRevision;
    const hasTombstone = this.changes.some(
      (change) => change.revision === revision && change.kind === "delete",
    );
    const isNothing = lives.size === 0 && !(isOfCompaction && hasTombstone);
    const kept = isNothing ? this.stateAt(compacted) : lives;
    return this.changes.filter((change) => {
      if (change.revision > revision) return false;
      if (change.revision > compacted) return true;
      return change.kind === "put" && kept.get(change.key) === change.kv;
    });
  }

  // Reading.

  /** `now` is the newest revision that can be read: inside a transaction with writes, the one it is making. */
  #rangeAsOf(request: RangeRequest, now: number): RangeResponse {
    if (request.revision > now) throw errors.futureRev();
    const revision = request.revision <= 0 ? now : request.revision;
    if (revision < this.compactRevision) throw errors.compacted();
    const all = [...this.stateAt(revision)].filter(([key]) => isIn(key, request.key, request.rangeEnd));
    const count = all.length;
    if (request.countOnly) return { kvs: [], count, more: false };
    let kvs = all.map(([, kv]) => kv);
    const { sortOrder, sortTarget, limit } = request;
    const filters =
      request.minModRevision !== 0 ||
      request.maxModRevision !== 0 ||
      request.minCreateRevision !== 0 ||
      request.maxCreateRevision !== 0;
    if (limit > 0 && sortOrder === SortOrder.none && !filters) kvs = kvs.slice(0, limit + 1);
    if (request.maxModRevision !== 0) kvs = kvs.filter((kv) => kv.modRevision <= request.maxModRevision);
    if (request.minModRevision !== 0) kvs = kvs.filter((kv) => kv.modRevision >= request.minModRevision);
    if (request.maxCreateRevision !== 0) {
      kvs = kvs.filter((kv) => kv.createRevision <= request.maxCreateRevision);
    }
    if (request.minCreateRevision !== 0) {
      kvs = kvs.filter((kv) => kv.createRevision >= request.minCreateRevision);
    }
    const order = orderBy(sortTarget);
    if (sortOrder === SortOrder.descend) kvs.sort((a, b) => order(b, a));
    else kvs.sort(order);
    const more = limit > 0 && kvs.length > limit;
    if (more) kvs = kvs.slice(0, limit);
    if (request.keysOnly) {
      const lease = (kv: KeyValue) => (sortTarget === SortTarget.value ? kv.lease : (0n as LeaseId));
      kvs = kvs.map((kv) => ({ ...kv, value: noBytes, lease: lease(kv) }));
    }
    return { kvs, count, more };
  }

  // Writing.

  /** Runs `write`; what it changed becomes one revision. */
  #commit<T>(write: () => T): T {
    const before = this.changes.length;
    const result = write();
    if (this.changes.length > before) this.revision++;
    return result;
  }

  /** What reads inside the transaction in progress see. */
  get #now(): number {
    return this.changes.at(-1)?.revision === this.revision + 1 ? this.revision + 1 : this.revision;
  }

  get #nextSub(): number {
    return this.changes.filter((change) => change.revision === this.revision + 1).length;
  }

  #checkPut(request: PutRequest): void {
    if (request.lease !== 0n && !this.leases.has(request.lease)) throw errors.leaseNotFound();
    const lives = this.stateAt(this.revision).has(toBinaryKey(request.key));
    if ((request.ignoreValue || request.ignoreLease) && !lives) throw errors.keyNotFound();
  }

  #put(request: PutRequest): PutResponse {
    const key = toBinaryKey(request.key);
    const previous = this.stateAt(this.#now).get(key);
    const revision = this.revision + 1;
    const kv: KeyValue = {
      key: request.key,
      createRevision: previous?.createRevision ?? revision,
      modRevision: revision,
      version: (previous?.version ?? 0) + 1,
      value: request.ignoreValue ? previous!.value : request.value,
      lease: request.ignoreLease ? previous!.lease : request.lease,
    };
    this.changes.push({ kind: "put", key, revision, sub: this.#nextSub, kv });
    return { prevKv: request.prevKv ? previous : undefined };
  }

  #delete(request: DeleteRangeRequest): DeleteRangeResponse {
    const doomed = [...this.stateAt(this.#now)].filter(([key]) => isIn(key, request.key, request.rangeEnd));
    for (const [key] of doomed) this.#remove(key);
    return { deleted: doomed.length, prevKvs: request.prevKv ? doomed.map(([, kv]) => kv) : [] };
  }

  #remove(key: string): void {
    const revision = this.revision + 1;
    const kv: KeyValue = {
      key: fromBinaryKey(key),
      createRevision: 0,
      modRevision: revision,
      version: 0,
      value: noBytes,
      lease: 0n as LeaseId,
    };
    this.changes.push({ kind: "delete", key, revision, sub: this.#nextSub, kv });
  }

  /** `gone` collects what was deleted up to the end of all keys: a later put that keeps a value from there has none to
   * keep. (etcd panics.) */
  #checkTxn(request: TxnRequest, branches: boolean[], gone: Uint8Array[] = []): void {
    for (const op of branches.shift() ? request.success : request.failure) {
      if (op.kind === "put") {
        this.#checkPut(op.put);
        const key = toBinaryKey(op.put.key);
        const keeps = op.put.ignoreValue || op.put.ignoreLease;
        if (keeps && gone.some((from) => isIn(key, from, toTheEnd))) {
          this.panicsAvoided++;
          throw errors.keyNotFound();
        }
      } else if (op.kind === "deleteRange" && toBinaryKey(op.deleteRange.rangeEnd) === "\0") {
        gone.push(op.deleteRange.key);
      } else if (op.kind === "txn") this.#checkTxn(op.txn, branches, gone);
      else if (op.kind === "range" && op.range.revision !== 0) {
        if (op.range.revision > this.revision) throw errors.futureRev();
        if (op.range.revision < this.compactRevision) throw errors.compacted();
      }
    }
  }

  #runTxn(request: TxnRequest, branches: boolean[]): TxnResponse {
    const succeeded = branches.shift()!;
    const responses: ResponseOp[] = [];
    for (const op of succeeded ? request.success : request.failure) {
      responses.push(
        op.kind === "txn" ? { kind: "txn", txn: this.#runTxn(op.txn, branches) } : this.#runOp(op),
      );
    }
    return { succeeded, responses, revision: 0 };
  }

  #runOp(op: RequestOp): ResponseOp {
    switch (op.kind) {
      case "range":
        return { kind: "range", range: this.#rangeAsOf(op.range, this.#now), revision: this.#now };
      case "put":
        return { kind: "put", put: this.#put(op.put), revision: this.#now };
      case "deleteRange": {
        const deleteRange = this.#delete(op.deleteRange);
        return { kind: "deleteRange", deleteRange, revision: this.#now };
      }
      default:
        throw new Error(`unexpected operation ${op.kind}`);
    }
  }
}

export function isIn(key: string, start: Uint8Array, rangeEnd: Uint8Array): boolean {
  const from = toBinaryKey(start);
  const to = toBinaryKey(rangeEnd);
  if (to === "") return key === from;
  return key >= from && (to === "\0" || key < to);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const left = toBinaryKey(a);
  const right = toBinaryKey(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

function orderBy(target: number): (a: KeyValue, b: KeyValue) => number {
  switch (target) {
    case SortTarget.version:
      return (a, b) => a.version - b.version;
    case SortTarget.create:
      return (a, b) => a.createRevision - b.createRevision;
    case SortTarget.mod:
      return (a, b) => a.modRevision - b.modRevision;
    case SortTarget.value:
      return (a, b) => compareBytes(a.value, b.value);
    default:
      return (a, b) => compareBytes(a.key, b.key);
  }
}

function compareHolds(state: State, compare: Compare): boolean {
  const found = [...state].filter(([key]) => isIn(key, compare.key, compare.rangeEnd)).map(([, kv]) => kv);
  if (found.length > 0) return found.every((kv) => holds(compare, kv));
  if (compare.target === CompareTarget.value) return false;
  const nothing = { createRevision: 0, modRevision: 0, version: 0, lease: 0n as LeaseId };
  return holds(compare, { key: noBytes, value: noBytes, ...nothing });
}

function holds(compare: Compare, kv: KeyValue): boolean {
  const order = compareTarget(compare, kv);
  switch (compare.result) {
    case CompareResult.equal:
      return order === 0;
    case CompareResult.greater:
      return order > 0;
    case CompareResult.less:
      return order < 0;
    default:
      return order !== 0;
  }
}

function compareTarget(compare: Compare, kv: KeyValue): number {
  const { operand, target } = compare;
  if (target === CompareTarget.value) {
    return compareBytes(kv.value, operand instanceof Uint8Array ? operand : noBytes);
  }
  if (target === CompareTarget.lease) {
    const lease = typeof operand === "bigint" ? operand : 0n;
    return kv.lease < lease ? -1 : kv.lease > lease ? 1 : 0;
  }
  const number = Number(operand ?? 0);
  if (target === CompareTarget.version) return kv.version - number;
  if (target === CompareTarget.create) return kv.createRevision - number;
  return kv.modRevision - number;
}

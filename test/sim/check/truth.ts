/**
 * What really happened: the log as it was committed, and the key space that it makes, worked out a second time and in the
 * plainest way. Everything that members do and clients are told is held against this. The entries come from whichever
 * member applies them first; all others have to agree.
 */

import type { Compare, PutRequest, RequestOp, TxnRequest } from "../../../src/codec/kv.ts";
import { CompareResult, CompareTarget } from "../../../src/codec/kv.ts";
import { decodeRaftRequest, type RaftRequestBody } from "../../../src/codec/raft-internal.ts";
import { toBinaryKey } from "../../../src/lib/binary-key.ts";
import type { LeaseId, RaftIndex } from "../../../src/lib/ids.ts";
import { type Entry, EntryType } from "../../../src/lib/raft-entry.ts";
import { isIn } from "../../model/naive-etcd.ts";
import { Violation } from "./violation.ts";

export interface TruthKey {
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: LeaseId;
}

export interface TruthEvent {
  readonly kind: "put" | "delete";
  readonly key: string;
  readonly revision: number;
  /** After a put. */
  readonly now: TruthKey | undefined;
}

export interface TruthLease {
  readonly id: LeaseId;
  readonly ttlSeconds: number;
}

/** What one entry did. */
export interface TruthEntry {
  readonly entry: Entry;
  /** When the first member had it committed, in simulated time. */
  readonly atMs: number;
  /** The revision after it. */
  readonly revision: number;
  readonly compactRevision: number;
  readonly revokedLease: LeaseId | undefined;
}

export class Truth {
  /** The entry with index i is at i - 1. */
  readonly entries: TruthEntry[] = [];
  /** The events of revision r are at r. */
  readonly events: TruthEvent[][] = [[], []];
  readonly #now = new Map<string, TruthKey>();
  readonly leases = new Map<LeaseId, TruthLease>();
  readonly revokedAtMs = new Map<LeaseId, number>();
  readonly grantedAtMs = new Map<LeaseId, number>();
  revision = 1;
  compactRevision = -1;
  readonly #minTtlSeconds: number;

  constructor(minTtlSeconds: number) {
    this.#minTtlSeconds = minTtlSeconds;
  }

  get index(): RaftIndex {
    return this.entries.length as RaftIndex;
  }

  /** A member is about to apply an entry. */
  committed(entry: Entry, who: string, atMs: number): void {
    const known = this.entries[entry.index - 1];
    if (known !== undefined) {
      if (!sameEntry(known.entry, entry)) {
        const terms = `terms ${known.entry.term} and ${entry.term}`;
        throw new Violation("state machine safety", `${who} applies another entry ${entry.index} (${terms})`);
      }
      return;
    }
    if (entry.index !== this.entries.length + 1) {
      throw new Violation("order", `${who} applies ${entry.index} when ${this.entries.length} are known`);
    }
    const revokedLease = this.#apply(entry, atMs);
    const { revision, compactRevision } = this;
    const kept = { ...entry, decoded: undefined };
    this.entries.push({ entry: kept, atMs, revision, compactRevision, revokedLease });
  }

  /** The revision after an entry. */
  revisionAt(index: number): number {
    return index === 0 ? 1 : this.entries[index - 1]!.revision;
  }

  /** The key space of now. */
  get state(): ReadonlyMap<string, TruthKey> {
    return this.#now;
  }

  /** The key space right after a revision: made from the beginning. */
  stateAt(revision: number): Map<string, TruthKey> {
    const state = new Map<string, TruthKey>();
    for (let r = 2; r <= revision; r++) {
      for (const { key, now } of this.events[r] ?? []) {
        if (now === undefined) state.delete(key);
        else state.set(key, now);
      }
    }
    return state;
  }

  /** One key right after a revision. */
  keyAt(key: string, revision: number): TruthKey | undefined {
    for (let r = Math.min(revision, this.revision); r >= 2; r--) {
      const event = this.events[r]!.findLast((other) => other.key === key);
      if (event !== undefined) return event.now;
    }
    return undefined;
  }

  #apply(entry: Entry, atMs: number): LeaseId | undefined {
    if (entry.type !== EntryType.normal || entry.data.length === 0) return undefined;
    const { body } = decodeRaftRequest(entry.data);
    if (body.kind === "leaseGrant") {
      const { id, ttlSeconds } = body.leaseGrant;
      if (this.leases.has(id) || id === 0n) return undefined;
      this.leases.set(id, { id, ttlSeconds: Math.max(ttlSeconds, this.#minTtlSeconds) });
      this.grantedAtMs.set(id, atMs);
      return undefined;
    }
    if (body.kind === "leaseRevoke") return this.#revoke(body.leaseRevoke, atMs);
    this.#change(body);
    return undefined;
  }

  #revoke(id: LeaseId, atMs: number): LeaseId | undefined {
    if (!this.leases.delete(id)) return undefined;
    this.revokedAtMs.set(id, atMs);
    const held = [...this.#now].filter(([, { lease }]) => lease === id);
    const keys = held.map(([key]) => key).sort();
    this.#commit(keys.map((key) => ({ key })));
    return id;
  }

  #change(body: RaftRequestBody): void {
    switch (body.kind) {
      case "put":
        if (this.#allows(body.put)) this.#commit([putOf(body.put)]);
        break;
      case "deleteRange": {
        const { key, rangeEnd } = body.deleteRange;
        this.#commit(this.#keysIn(key, rangeEnd).map((name) => ({ key: name })));
        break;
      }
      case "txn":
        this.#txn(body.txn);
        break;
      case "compaction": {
        const { revision } = body.compaction;
        if (revision > this.compactRevision && revision <= this.revision) this.compactRevision = revision;
        break;
      }
    }
  }

  #txn(txn: TxnRequest): void {
    const ops = txn.compare.every((compare) => this.#holds(compare)) ? txn.success : txn.failure;
    if (ops.some((op) => op.kind === "put" && !this.#allows(op.put))) return;
    this.#commit(ops.flatMap((op) => this.#changesOf(op)));
  }

  #changesOf(op: RequestOp): Change[] {
    if (op.kind === "put") return [putOf(op.put)];
    if (op.kind !== "deleteRange") return [];
    return this.#keysIn(op.deleteRange.key, op.deleteRange.rangeEnd).map((key) => ({ key }));
  }

  #allows({ lease }: PutRequest): boolean {
    return lease === 0n || this.leases.has(lease);
  }

  #keysIn(key: Uint8Array, rangeEnd: Uint8Array): string[] {
    return [...this.#now.keys()].filter((name) => isIn(name, key, rangeEnd)).sort();
  }

  #holds({ key, target, result, operand }: Compare): boolean {
    const known = this.#now.get(toBinaryKey(key));
    if (target === CompareTarget.value) {
      if (known === undefined) return false;
      const same = known.value === toBinaryKey(operand as Uint8Array);
      return result === CompareResult.equal ? same : !same;
    }
    const actual = { [CompareTarget.version]: known?.version, [CompareTarget.mod]: known?.modRevision };
    const value = actual[target as keyof typeof actual] ?? 0;
    const wanted = Number(operand ?? 0);
    if (result === CompareResult.equal) return value === wanted;
    if (result === CompareResult.notEqual) return value !== wanted;
    return result === CompareResult.greater ? value > wanted : value < wanted;
  }

  /** Changes of one request become one revision. */
  #commit(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    const revision = ++this.revision;
    const events = changes.map((change): TruthEvent => {
      const { key } = change;
      if (!("value" in change)) {
        this.#now.delete(key);
        return { kind: "delete", key, revision, now: undefined };
      }
      const before = this.#now.get(key);
      const now: TruthKey = {
        value: change.value,
        createRevision: before?.createRevision ?? revision,
        modRevision: revision,
        version: (before?.version ?? 0) + 1,
        lease: change.lease,
      };
      this.#now.set(key, now);
      return { kind: "put", key, revision, now };
    });
    this.events.push(events);
  }
}

/** A put, or without a value a deletion. */
type Change =
  | { readonly key: string }
  | { readonly key: string; readonly value: string; readonly lease: LeaseId };

const putOf = ({ key, value, lease }: PutRequest): Change => ({
  key: toBinaryKey(key),
  value: toBinaryKey(value),
  lease,
});

function sameEntry(a: Entry, b: Entry): boolean {
  if (a.type !== b.type || a.term !== b.term || a.data.length !== b.data.length) return false;
  return a.data.every((byte, i) => byte === b.data[i]);
}

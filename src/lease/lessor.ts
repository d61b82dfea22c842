/**
 * The leases of a member. Granting, revoking and checkpoints are changes of replicated state: apply makes them on every
 * member, in the order of the log, and each gives the row that belongs into the store. Everything about time is the
 * leader's alone (see Primary and DESIGN.md). Which keys hang on a lease only the store knows.
 *
 * Times are milliseconds of a monotonic clock; every method that needs one is told it.
 */
import type { MetaChange } from "../backend/backend.ts";
import type { LeaseCheckpoint, LeaseGrantRequest } from "../codec/lease.ts";
import { decodeLeaseRow, encodeLeaseRow, leaseIdOfRowKey, leaseRowKey } from "../codec/lease-row.ts";
import { errors } from "../errors/table.ts";
import { type LeaseId, noLease } from "../lib/ids.ts";
import type { Steps } from "../lib/steps.ts";
import { type Lease, makeLease } from "./lease.ts";
import { type DueCheckpoints, type ExpiredLeases, Primary, type PrimaryOptions } from "./primary.ts";
import { sortInSteps } from "./sort-in-steps.ts";

/** The bucket that the rows are in. */
export const leaseBucket = "lease";
/** About 285 years. */
export const maxLeaseTtlSeconds = 9_000_000_000;
/** Leases that one step goes over. */
const leasesPerStep = 1000;

export interface LessorOptions extends Partial<PrimaryOptions> {
  /** Shorter times are raised to this. See `minLeaseTtlSeconds`. */
  readonly minTtlSeconds: number;
}

/** What a lease must outlive: one and a half elections, in whole seconds. */
export function minLeaseTtlSeconds(timing: { heartbeatMs: number; electionTicks: number }): number {
  return Math.ceil((Math.floor((3 * timing.electionTicks) / 2) * timing.heartbeatMs) / 1000);
}

export interface GrantedLease {
  readonly id: LeaseId;
  /** What was granted, which may be more than was asked for. */
  readonly ttlSeconds: number;
  readonly row: MetaChange;
}

export type Renewal =
  /**
   * The lease has its full time. With `clearFirst` the log still says that less is left: then apply a checkpoint of 0
   * before the client is told, or a new leader would end the lease before its time.
   */
  | { readonly kind: "renewed"; readonly ttlSeconds: number; readonly clearFirst: boolean }
  /** Its time is over and it is about to be revoked. Answer when it is (with "not found"), or when leadership is lost. */
  | { readonly kind: "expired" }
  | { readonly kind: "notFound" }
  /** Ask the leader. */
  | { readonly kind: "notPrimary" };

export interface TimeToLive {
  readonly grantedTtlSeconds: number;
  /** Whole seconds left, 0 when it is about to be revoked. Undefined on a member that does not lead. */
  readonly remainingSeconds: number | undefined;
}

export class Lessor {
  readonly #minTtlSeconds: number;
  readonly #primaryOptions: PrimaryOptions;
  readonly #leases = new Map<LeaseId, Lease>();
  #primary: Primary | undefined;
  /** Promotions so far. */
  #reigns = 0;

  constructor(options: LessorOptions) {
    this.#minTtlSeconds = options.minTtlSeconds;
    this.#primaryOptions = {
      revokesPerSecond: options.revokesPerSecond ?? 1000,
      revokeRetryMs: options.revokeRetryMs ?? 7000,
      checkpoints: options.checkpoints ?? true,
      checkpointMaxMs: options.checkpointMaxMs ?? 300_000,
    };
  }

  get size(): number {
    return this.#leases.size;
  }

  get isPrimary(): boolean {
    return this.#primary !== undefined;
  }

  has(id: LeaseId): boolean {
    return this.#leases.has(id);
  }

  /** The ids of all leases: those that end first come first where the leader is asked, in no order elsewhere. */
  *list(): Steps<LeaseId[]> {
    const primary = this.#primary;
    const dated: { readonly id: LeaseId; readonly keyMs: number }[] = [];
    for (const lease of this.#leases.values()) {
      dated.push({ id: lease.id, keyMs: primary?.deadlineMs(lease) ?? 0 });
      if (dated.length % leasesPerStep === 0) yield;
    }
    const sorted = yield* sortInSteps(dated);
    const ids: LeaseId[] = [];
    for (const { id } of sorted) {
      if (ids.push(id) % leasesPerStep === 0) yield;
    }
    return ids;
  }

  /** Undefined if there is no such lease. */
  timeToLive(id: LeaseId, nowMs: number): TimeToLive | undefined {
    const lease = this.#leases.get(id);
    if (lease === undefined) return undefined;
    const deadlineMs = this.#primary?.deadlineMs(lease);
    return {
      grantedTtlSeconds: lease.ttlSeconds,
      remainingSeconds:
        deadlineMs === undefined ? undefined : Math.max(0, Math.floor((deadlineMs - nowMs) / 1000)),
    };
  }

  // What apply does.

  /** Replaces all leases by those of the store. The member must not lead. */
  *load(rows: Iterable<readonly [key: string, value: Uint8Array]>): Steps<void> {
    this.#primary = undefined;
    this.#leases.clear();
    for (const [key, value] of rows) {
      const id = leaseIdOfRowKey(key);
      const row = decodeLeaseRow(value);
      const ttlSeconds = Math.max(row.ttlSeconds, this.#minTtlSeconds);
      this.#leases.set(id, makeLease(id, ttlSeconds, row.remainingTtlSeconds));
      if (this.#leases.size % leasesPerStep === 0) yield;
    }
  }

  /** Throws ErrLeaseNotFound (for id 0), ErrLeaseTTLTooLarge or ErrLeaseExist. */
  grant(request: LeaseGrantRequest, nowMs: number): GrantedLease {
    const { id } = request;
    if (id === noLease) throw errors.leaseNotFound();
    if (request.ttlSeconds > maxLeaseTtlSeconds) throw errors.leaseTtlTooLarge();
    if (this.#leases.has(id)) throw errors.leaseExist();
    const lease = makeLease(id, Math.max(request.ttlSeconds, this.#minTtlSeconds), 0);
    this.#leases.set(id, lease);
    this.#primary?.begin(lease, nowMs);
    return { id, ttlSeconds: lease.ttlSeconds, row: rowOf(lease) };
  }

  /** Removes a lease; its keys go in the same apply. Throws ErrLeaseNotFound. */
  revoke(id: LeaseId): MetaChange {
    const lease = this.#leases.get(id);
    if (lease === undefined) throw errors.leaseNotFound();
    this.#leases.delete(id);
    this.#primary?.forget(lease);
    return { bucket: leaseBucket, key: leaseRowKey(id), value: undefined };
  }

  /**
   * Notes how much time leases have left, for leaders to come; this leader's deadlines stay. 0 says that a lease has
   * its full time again. Leases that do not exist (any more) are passed over.
   */
  checkpoint(checkpoints: readonly LeaseCheckpoint[]): MetaChange[] {
    const rows: MetaChange[] = [];
    for (const { id, remainingTtlSeconds } of checkpoints) {
      const lease = this.#leases.get(id);
      if (lease === undefined) continue;
      lease.remainingTtlSeconds = Math.max(0, remainingTtlSeconds);
      lease.checkpointOut = false;
      if (lease.remainingTtlSeconds === 0) lease.clearing = false;
      rows.push(rowOf(lease));
    }
    return rows;
  }

  // What the leader does.

  /**
   * Begins to let time pass, once all entries of earlier terms are applied. Every lease has what the log says is left
   * of it, or its full time, and `extendMs` (an election timeout) more, in which its owner may find the new leader.
   * This takes effect at once; the steps put the leases in order for `expired`, and end early after a demotion.
   */
  promote(nowMs: number, extendMs: number): Steps<void> {
    const primary = new Primary(this.#primaryOptions, ++this.#reigns, { nowMs, extendMs });
    this.#primary = primary;
    return this.#adoptAll(primary);
  }

  *#adoptAll(primary: Primary): Steps<void> {
    let count = 0;
    for (const lease of this.#leases.values()) {
      if (this.#primary !== primary) return;
      primary.adopt(lease);
      if (++count % leasesPerStep === 0) yield;
    }
  }

  /** Time stops: leases live until a leader says otherwise. */
  demote(): void {
    this.#primary = undefined;
  }

  renew(id: LeaseId, nowMs: number): Renewal {
    if (this.#primary === undefined) return { kind: "notPrimary" };
    const lease = this.#leases.get(id);
    if (lease === undefined) return { kind: "notFound" };
    if (this.#primary.deadlineMs(lease) <= nowMs) return { kind: "expired" };
    const clearFirst = this.#primary.renew(lease, nowMs);
    return { kind: "renewed", ttlSeconds: lease.ttlSeconds, clearFirst };
  }

  /**
   * Leases whose time is over, at most `limit` and not faster than `revokesPerSecond`. Propose to revoke them, after
   * making sure of still being the leader; one that is still there after `revokeRetryMs` comes again.
   */
  expired(nowMs: number, limit: number): ExpiredLeases {
    return this.#primary?.expired(nowMs, limit) ?? { leases: [], more: false };
  }

  /** Whether a lease's time is over, as far as this leader knows. False where nobody counts the time. */
  isExpired(id: LeaseId, nowMs: number): boolean {
    const lease = this.#leases.get(id);
    if (lease === undefined || this.#primary === undefined) return false;
    return this.#primary.deadlineMs(lease) <= nowMs;
  }

  /** What should go into the log as one LeaseCheckpointRequest; etcd's are at most 1000 long. */
  dueCheckpoints(nowMs: number, limit: number): DueCheckpoints {
    return this.#primary?.dueCheckpoints(nowMs, limit) ?? { checkpoints: [], more: false };
  }

  /**
   * Checkpoints of all leases, for a leader that is about to stop. Propose each batch of at most `limit` that is not
   * empty.
   */
  *finalCheckpoints(nowMs: number, limit: number): Generator<LeaseCheckpoint[], void, undefined> {
    const primary = this.#primary;
    let batch: LeaseCheckpoint[] = [];
    let count = 0;
    for (const lease of this.#leases.values()) {
      if (primary === undefined || this.#primary !== primary) return;
      const checkpoint = primary.checkpointOf(lease, nowMs);
      if (checkpoint !== undefined) batch.push(checkpoint);
      if (++count % leasesPerStep !== 0 && batch.length < limit) continue;
      yield batch;
      batch = [];
    }
    yield batch;
  }
}

function rowOf(lease: Lease): MetaChange {
  return { bucket: leaseBucket, key: leaseRowKey(lease.id), value: encodeLeaseRow(lease) };
}

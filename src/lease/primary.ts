/**
 * What only the leader's lessor does: it lets time pass. One of these is made at every promotion and dropped at the
 * demotion, with all deadlines in it.
 *
 * Heap keys may be earlier than what they stand for, never later: renewing a lease only moves its deadline on, and
 * its entries find out when their old time comes. So a renewal costs nothing that grows with the number of leases.
 */
import type { LeaseCheckpoint } from "../codec/lease.ts";
import type { LeaseId } from "../lib/ids.ts";
import { DeadlineHeap } from "./deadline-heap.ts";
import type { Lease } from "./lease.ts";

export interface PrimaryOptions {
  /** At most so many leases are handed out to be revoked in a second. etcd: 1000. */
  readonly revokesPerSecond: number;
  /** When a lease that was handed out is handed out again, should it still be there. */
  readonly revokeRetryMs: number;
  /** False: never write down how much time is left. */
  readonly checkpoints: boolean;
  /** The longest time between two checkpoints of a lease. etcd: 5 minutes. */
  readonly checkpointMaxMs: number;
}

/** Leases to be revoked; `more`: ask again soon, for there was more to look at than one call should. */
export interface ExpiredLeases {
  readonly leases: LeaseId[];
  readonly more: boolean;
}

export interface DueCheckpoints {
  readonly checkpoints: LeaseCheckpoint[];
  readonly more: boolean;
}

/** A lease with no more time than this is not checkpointed any more. */
export const checkpointFloorMs = 10_000;
/** Heap entries that one call looks at: 1 or 2 ms of work. */
const workLimit = 2000;
/** The rate of revocations is counted in windows of this length. */
const rateWindowMs = 500;

export class Primary {
  readonly #options: PrimaryOptions;
  /** Different from that of every Primary before; not 0. */
  readonly #reign: number;
  /** When leases that this leader took over begin to use up what they have left. */
  readonly #baseMs: number;
  readonly #expiry = new DeadlineHeap<Lease>();
  readonly #checkpoints = new DeadlineHeap<Lease>();
  #windowStartMs: number;
  #handedOutInWindow = 0;

  constructor(options: PrimaryOptions, reign: number, times: { nowMs: number; extendMs: number }) {
    this.#options = options;
    this.#reign = reign;
    this.#baseMs = times.nowMs + times.extendMs;
    this.#windowStartMs = times.nowMs;
  }

  /** Starts the time of a lease that was just granted. */
  begin(lease: Lease, nowMs: number): void {
    this.#enter(lease, nowMs + lease.ttlSeconds * 1000, nowMs);
  }

  /** Takes over a lease from the leader before, if that is not done yet. */
  adopt(lease: Lease): void {
    if (lease.reign !== this.#reign) this.#enter(lease, this.#inheritedDeadline(lease), this.#baseMs);
  }

  /** Lets go of a lease that is revoked. */
  forget(lease: Lease): void {
    if (lease.reign !== this.#reign) return;
    if (lease.expiry !== undefined) this.#expiry.remove(lease.expiry);
    if (lease.checkpoint !== undefined) this.#checkpoints.remove(lease.checkpoint);
    lease.reign = 0;
    lease.expiry = undefined;
    lease.checkpoint = undefined;
  }

  deadlineMs(lease: Lease): number {
    return lease.reign === this.#reign ? lease.deadlineMs : this.#inheritedDeadline(lease);
  }

  /**
   * Gives a living lease its full time again. Returns whether the log believes that less is left (or may soon do so):
   * then a checkpoint of 0 has to be applied before the client may be told.
   */
  renew(lease: Lease, nowMs: number): boolean {
    this.adopt(lease);
    const ttlMs = lease.ttlSeconds * 1000;
    // Never shorter than before: right after a promotion a lease may have more than its time.
    lease.deadlineMs = Math.max(lease.deadlineMs, nowMs + ttlMs);
    this.#schedule(lease, nowMs);
    lease.clearing ||= lease.remainingTtlSeconds > 0 || lease.checkpointOut;
    return lease.clearing;
  }

  /** Leases past their deadline, earliest first, at most `limit` of them. */
  expired(nowMs: number, limit: number): ExpiredLeases {
    const leases: LeaseId[] = [];
    const allowed = Math.min(limit, this.#allowance(nowMs));
    for (let work = 0; ; work++) {
      const entry = this.#expiry.head;
      if (entry === undefined || entry.keyMs > nowMs) return this.#handOut(leases, false);
      if (leases.length === allowed) return this.#handOut(leases, allowed === limit);
      if (work === workLimit) return this.#handOut(leases, true);
      const { deadlineMs, id } = entry.item;
      if (deadlineMs > nowMs) {
        this.#expiry.rekey(entry, deadlineMs);
      } else {
        this.#expiry.rekey(entry, nowMs + this.#options.revokeRetryMs);
        leases.push(id);
      }
    }
  }

  /** Checkpoints that the log should have by now, at most `limit` of them. */
  dueCheckpoints(nowMs: number, limit: number): DueCheckpoints {
    const checkpoints: LeaseCheckpoint[] = [];
    for (let work = 0; ; work++) {
      const entry = this.#checkpoints.head;
      if (entry === undefined || entry.keyMs > nowMs) return { checkpoints, more: false };
      if (checkpoints.length === limit || work === workLimit) return { checkpoints, more: true };
      const lease = entry.item;
      if (lease.nextCheckpointMs > nowMs) {
        this.#checkpoints.rekey(entry, lease.nextCheckpointMs);
        continue;
      }
      const checkpoint = this.checkpointOf(lease, nowMs);
      if (checkpoint !== undefined) checkpoints.push(checkpoint);
      this.#schedule(lease, nowMs);
    }
  }

  /** What the log should hear of a lease now, if anything. */
  checkpointOf(lease: Lease, nowMs: number): LeaseCheckpoint | undefined {
    this.adopt(lease);
    const remainingTtlSeconds = Math.ceil((lease.deadlineMs - nowMs) / 1000);
    const nothingNew = remainingTtlSeconds >= (lease.remainingTtlSeconds || lease.ttlSeconds);
    // While a renewal is on its way into the log, nothing may follow it there that takes it back.
    if (nothingNew || remainingTtlSeconds <= 0 || lease.clearing) return undefined;
    lease.checkpointOut = true;
    return { id: lease.id, remainingTtlSeconds };
  }

  #inheritedDeadline(lease: Lease): number {
    return this.#baseMs + (lease.remainingTtlSeconds || lease.ttlSeconds) * 1000;
  }

  #enter(lease: Lease, deadlineMs: number, nowMs: number): void {
    lease.reign = this.#reign;
    lease.deadlineMs = deadlineMs;
    lease.expiry = this.#expiry.add(deadlineMs, lease);
    lease.checkpoint = undefined;
    lease.checkpointOut = false;
    lease.clearing = false;
    this.#schedule(lease, nowMs);
  }

  /**
   * The next checkpoint is due when half of what is left has passed, but after `checkpointMaxMs` at the latest. Clients
   * renew after a third of the time, so a lease that is kept alive is never written down at all.
   */
  #schedule(lease: Lease, nowMs: number): void {
    if (!this.#options.checkpoints) return;
    const remainingMs = lease.deadlineMs - nowMs;
    if (remainingMs <= checkpointFloorMs) {
      if (lease.checkpoint !== undefined) this.#checkpoints.remove(lease.checkpoint);
      lease.checkpoint = undefined;
      return;
    }
    lease.nextCheckpointMs = nowMs + Math.min(remainingMs / 2, this.#options.checkpointMaxMs);
    // An entry that is there already has an earlier key, or is the head and will be looked at again.
    lease.checkpoint ??= this.#checkpoints.add(lease.nextCheckpointMs, lease);
  }

  #allowance(nowMs: number): number {
    if (nowMs - this.#windowStartMs >= rateWindowMs) {
      this.#windowStartMs = nowMs;
      this.#handedOutInWindow = 0;
    }
    const perWindow = Math.max(1, Math.floor((this.#options.revokesPerSecond * rateWindowMs) / 1000));
    return perWindow - this.#handedOutInWindow;
  }

  #handOut(leases: LeaseId[], more: boolean): ExpiredLeases {
    this.#handedOutInWindow += leases.length;
    return { leases, more };
  }
}

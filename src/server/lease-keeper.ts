/**
 * The leader's clock of leases: has those whose time is over revoked, writes into the log how much time others have left,
 * and answers keep-alives. Everything that changes a lease goes through the log; this file only proposes, and nothing of
 * it may reach the log through another leader: what this member believes of time counts only while it leads (a leader
 * that was stuck for a while would have leases revoked that the next one keeps alive, etcd issue 15247).
 */
import { encodeLeaseCheckpointRequest, encodeLeaseId, type LeaseCheckpoint } from "../codec/lease.ts";
import { raftField } from "../codec/raft-internal.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { Lessor } from "../lease/lessor.ts";
import type { Clock } from "../lib/clock.ts";
import type { LeaseId } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import type { Steps } from "../lib/steps.ts";

/** How often expired leases and due checkpoints are looked for. */
const lookMs = 500;
/** Leases handed out in one look; the lessor limits the rate besides. */
const expiredAtOnce = 512;
/** Checkpoints in one entry, as in etcd. */
const checkpointsAtOnce = 1000;
/** Keep-alives that may wait for the end of a lease whose time is over. */
const endWaitersMax = 10_000;

export interface LeaseKeeperOptions {
  readonly lessor: Lessor;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How much longer leases live after a change of leader: an election timeout. */
  readonly extendMs: number;
  /** Puts a request through the log if this member leads now, or tells ErrNotLeader. */
  readonly proposeHere: (
    field: number,
    bytes: Uint8Array,
    request: unknown,
    done: (error: EtcdError | undefined) => void,
  ) => void;
  /** Calls back once a quorum has agreed that this member leads, and everything committed until now is applied; at once
   * where there is nobody to ask. */
  readonly confirmLeadership: (then: () => void, failed: (error: EtcdError) => void) => void;
  /** Whether leases are renewed without asking anybody. False while there may be another leader: when the event loop was stuck for long, for instance. */
  readonly isActive: () => boolean;
  /** Has the leader renew a lease, wherever it is. */
  readonly renewElsewhere: (id: LeaseId, done: KeepAliveDone) => void;
  readonly runSteps: (steps: Steps<void>) => void;
  readonly onExpired: () => void;
  readonly onRenewed: () => void;
}

interface ClearWaiter {
  readonly id: LeaseId;
  readonly done: KeepAliveDone;
}

/** Told how a keep-alive went: the seconds the lease has again, 0 if there is no such lease. */
export type KeepAliveDone = (error: EtcdError | undefined, ttlSeconds: number) => void;

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #nextLookMs = 0;
  /** Keep-alives of leases whose time is over: they are answered when the lease is really gone. */
  readonly #endWaiters = new Map<LeaseId, KeepAliveDone[]>();
  #endWaiterCount = 0;
  /** Leases that are being revoked because their time is over. */
  #revoking = 0;
  /** Renewals that the log has to be told of before the client. */
  readonly #clearing = new Set<ClearWaiter>();

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** This member leads, and has applied all entries of earlier terms. */
  promote(): void {
    const { lessor, clock, extendMs, runSteps } = this.#options;
    runSteps(lessor.promote(clock.monotonicMs(), extendMs));
  }

  demote(): void {
    if (!this.#options.lessor.isPrimary) return;
    this.#options.lessor.demote();
    const { renewElsewhere } = this.#options;
    for (const { id, done } of this.#takeWaiters()) renewElsewhere(id, done);
  }

  /** To be called in each tick. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextLookMs || !this.#options.lessor.isPrimary) return;
    this.#nextLookMs = nowMs + lookMs;
    this.#revokeExpired(nowMs);
    this.#checkpoint(nowMs);
  }

  /** Renews a lease, here or at the leader. */
  keepAlive(id: LeaseId, done: KeepAliveDone): void {
    const { lessor, renewElsewhere } = this.#options;
    if (lessor.isPrimary) this.keepAliveHere(id, done);
    else renewElsewhere(id, done);
  }

  /** Renews a lease if this member leads, or tells ErrNotLeader. */
  keepAliveHere(id: LeaseId, done: KeepAliveDone): void {
    const { confirmLeadership, isActive } = this.#options;
    if (isActive()) this.#renew(id, done);
    else {
      confirmLeadership(
        () => this.#renew(id, done),
        () => done(errors.notLeader(), 0),
      );
    }
  }

  #renew(id: LeaseId, done: KeepAliveDone): void {
    const { lessor, clock, confirmLeadership } = this.#options;
    const renewal = lessor.renew(id, clock.monotonicMs());
    if (renewal.kind !== "notFound") {
      this.#answer(id, renewal, done);
      return;
    }
    // It may have been granted an instant ago, perhaps by another leader: before it counts as missing, what is committed
    // now has to be applied here.
    confirmLeadership(
      () => this.#answer(id, lessor.renew(id, clock.monotonicMs()), done),
      (error) => done(error, 0),
    );
  }

  /** A lease is gone: apply has removed it. */
  revoked(id: LeaseId): void {
    const waiters = this.#endWaiters.get(id);
    if (!waiters) return;
    this.#endWaiters.delete(id);
    this.#endWaiterCount -= waiters.length;
    for (const done of waiters) done(undefined, 0);
  }

  /** Writes down what all leases have left, for the leader to come; resolves when that is applied, or failed. */
  async writeDown(): Promise<void> {
    const { lessor, clock } = this.#options;
    const applied: Promise<void>[] = [];
    for (const batch of lessor.finalCheckpoints(clock.monotonicMs(), checkpointsAtOnce)) {
      if (batch.length > 0) applied.push(this.#proposeCheckpoint(batch));
      // There may be a million leases, and heartbeats go on.
      await new Promise<void>((resolve) => clock.nextTurn(resolve));
    }
    await Promise.all(applied);
  }

  stop(): void {
    for (const { done } of this.#takeWaiters()) done(errors.stopped(), 0);
  }

  #answer(id: LeaseId, renewal: ReturnType<Lessor["renew"]>, done: KeepAliveDone): void {
    switch (renewal.kind) {
      case "renewed":
        this.#options.onRenewed();
        if (!renewal.clearFirst) done(undefined, renewal.ttlSeconds);
        else this.#clear(id, renewal.ttlSeconds, done);
        return;
      case "expired":
        this.#waitForEnd(id, done);
        return;
      case "notFound":
        done(undefined, 0);
        return;
      case "notPrimary":
        done(errors.notLeader(), 0);
    }
  }

  /** The log says that less is left than there is; it has to be told before the client is. */
  #clear(id: LeaseId, ttlSeconds: number, done: KeepAliveDone): void {
    const checkpoints: LeaseCheckpoint[] = [{ id, remainingTtlSeconds: 0 }];
    const bytes = encodeLeaseCheckpointRequest(checkpoints);
    const waiter = { id, done };
    this.#clearing.add(waiter);
    this.#options.proposeHere(raftField.leaseCheckpoint, bytes, checkpoints, (error) => {
      if (!this.#clearing.delete(waiter)) return;
      if (error) done(error, 0);
      else done(undefined, this.#options.lessor.has(id) ? ttlSeconds : 0);
    });
  }

  #waitForEnd(id: LeaseId, done: KeepAliveDone): void {
    if (this.#endWaiterCount >= endWaitersMax) {
      done(errors.tooManyRequests(), 0);
      return;
    }
    this.#endWaiterCount++;
    const waiters = this.#endWaiters.get(id);
    if (waiters) waiters.push(done);
    else this.#endWaiters.set(id, [done]);
  }

  #takeWaiters(): ClearWaiter[] {
    const waiters = [...this.#clearing];
    for (const [id, dones] of this.#endWaiters) for (const done of dones) waiters.push({ id, done });
    this.#clearing.clear();
    this.#endWaiters.clear();
    this.#endWaiterCount = 0;
    return waiters;
  }

  #revokeExpired(nowMs: number): void {
    const { lessor, confirmLeadership, logger } = this.#options;
    if (this.#revoking >= expiredAtOnce) return;
    const { leases, more } = lessor.expired(nowMs, expiredAtOnce - this.#revoking);
    if (more) this.#nextLookMs = nowMs;
    if (leases.length === 0) return;
    this.#revoking += leases.length;
    confirmLeadership(
      () => {
        for (const id of leases) this.#revoke(id);
      },
      (error) => {
        // The lessor hands them out again after a while, if this member still leads then.
        this.#revoking -= leases.length;
        logger.warn("Ignore the lease revoking request because current member isn't a leader", {
          error: error.message,
        });
      },
    );
  }

  #revoke(id: LeaseId): void {
    const { lessor, clock, proposeHere, logger, onExpired } = this.#options;
    // Leadership may have been lost and won again since, and the lease been renewed elsewhere in between.
    if (!lessor.isExpired(id, clock.monotonicMs())) {
      this.#revoking--;
      return;
    }
    proposeHere(raftField.leaseRevoke, encodeLeaseId(id), id, (error) => {
      this.#revoking--;
      if (!error) onExpired();
      else if (error.message !== errors.leaseNotFound.text) {
        logger.warn("failed to revoke lease", { "lease-id": id.toString(16), error: error.message });
      }
    });
  }

  #checkpoint(nowMs: number): void {
    const { checkpoints, more } = this.#options.lessor.dueCheckpoints(nowMs, checkpointsAtOnce);
    if (more) this.#nextLookMs = nowMs;
    if (checkpoints.length > 0) void this.#proposeCheckpoint(checkpoints);
  }

  #proposeCheckpoint(checkpoints: LeaseCheckpoint[]): Promise<void> {
    const { proposeHere, logger } = this.#options;
    return new Promise((resolve) => {
      proposeHere(
        raftField.leaseCheckpoint,
        encodeLeaseCheckpointRequest(checkpoints),
        checkpoints,
        (error) => {
          if (error) logger.warn("failed to checkpoint leases", { error: error.message });
          resolve();
        },
      );
    });
  }
}

/**
 * The leader's clock of leases: has those whose time is over revoked, writes into the log how much time others have left,
 * and answers keep-alives. Everything that changes a lease goes through the log; this file only proposes.
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
  readonly propose: (
    field: number,
    bytes: Uint8Array,
    request: unknown,
    done: (error: EtcdError | undefined) => void,
  ) => void;
  readonly runSteps: (steps: Steps<void>) => void;
  /** Calls back once everything committed until now is applied. */
  readonly whenCaughtUp: (run: () => void) => void;
  readonly onExpired: () => void;
  readonly onRenewed: () => void;
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
    this.#failWaiters(errors.notLeader);
  }

  /** To be called in each tick. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextLookMs || !this.#options.lessor.isPrimary) return;
    this.#nextLookMs = nowMs + lookMs;
    this.#revokeExpired(nowMs);
    this.#checkpoint(nowMs);
  }

  keepAlive(id: LeaseId, done: KeepAliveDone): void {
    const { lessor, clock, whenCaughtUp } = this.#options;
    const renewal = lessor.renew(id, clock.monotonicMs());
    if (renewal.kind !== "notFound") {
      this.#answer(id, renewal, done);
      return;
    }
    // It may have been granted an instant ago: what is committed has to be applied before it counts as missing.
    whenCaughtUp(() => this.#answer(id, lessor.renew(id, clock.monotonicMs()), done));
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
      applied.push(this.#proposeCheckpoint(batch));
    }
    await Promise.all(applied);
  }

  stop(): void {
    this.#failWaiters(errors.stopped);
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
    this.#options.propose(raftField.leaseCheckpoint, bytes, checkpoints, (error) => {
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

  #failWaiters(error: () => EtcdError): void {
    const waiters = [...this.#endWaiters.values()].flat();
    this.#endWaiters.clear();
    this.#endWaiterCount = 0;
    for (const done of waiters) done(error(), 0);
  }

  #revokeExpired(nowMs: number): void {
    const { lessor, propose, logger, onExpired } = this.#options;
    if (this.#revoking >= expiredAtOnce) return;
    const { leases, more } = lessor.expired(nowMs, expiredAtOnce - this.#revoking);
    if (more) this.#nextLookMs = nowMs;
    for (const id of leases) {
      this.#revoking++;
      propose(raftField.leaseRevoke, encodeLeaseId(id), id, (error) => {
        this.#revoking--;
        if (!error) onExpired();
        else if (error.message !== errors.leaseNotFound.text) {
          logger.warn("failed to revoke lease", { "lease-id": id.toString(16), error: error.message });
        }
      });
    }
  }

  #checkpoint(nowMs: number): void {
    const { checkpoints, more } = this.#options.lessor.dueCheckpoints(nowMs, checkpointsAtOnce);
    if (more) this.#nextLookMs = nowMs;
    if (checkpoints.length > 0) void this.#proposeCheckpoint(checkpoints);
  }

  #proposeCheckpoint(checkpoints: LeaseCheckpoint[]): Promise<void> {
    const { propose, logger } = this.#options;
    return new Promise((resolve) => {
      propose(raftField.leaseCheckpoint, encodeLeaseCheckpointRequest(checkpoints), checkpoints, (error) => {
        if (error) logger.warn("failed to checkpoint leases", { error: error.message });
        resolve();
      });
    });
  }
}

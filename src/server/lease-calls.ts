/** What only the leader knows of leases: asked of it wherever it is, and answered for others where this member leads. */
import type { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { LeaseId } from "../lib/ids.ts";
import type { Steps } from "../lib/steps.ts";
import type { Member } from "../membership/member.ts";
import type { MvccStore } from "../mvcc/store.ts";
import type { LeaderCalls } from "./leader-calls.ts";
import type { KeepAliveDone } from "./lease-keeper.ts";
import type { LeaseTimes } from "./peers.ts";
import type { EtcdServerParts } from "./server-parts.ts";

export interface LeaseCallsOptions {
  readonly parts: Pick<EtcdServerParts, "cluster" | "peers" | "lessor" | "clock">;
  readonly leaderCalls: LeaderCalls;
  /** The one in use. */
  readonly store: () => MvccStore;
  readonly linearizable: (ready: () => void, failed: (error: EtcdError) => void) => void;
  readonly stepped: <T>(steps: Steps<T>) => Promise<T>;
  readonly keepAliveHere: (id: LeaseId, done: KeepAliveDone) => void;
}

export class LeaseCalls {
  readonly #options: LeaseCallsOptions;

  constructor(options: LeaseCallsOptions) {
    this.#options = options;
  }

  /** What the leader knows of a lease. Rejects with ErrLeaseNotFound or another of etcd's errors. */
  times(id: LeaseId, withKeys: boolean): Promise<LeaseTimes> {
    const { parts, leaderCalls } = this.#options;
    const { cluster, peers } = parts;
    const ask = (leader: Member) =>
      leader.id === cluster.localId ? this.timesHere(id, withKeys) : peers.leaseTimes(leader, id, withKeys);
    return leaderCalls.ask(ask, [errors.leaseNotFound]);
  }

  /** The same where this member leads; otherwise ErrNotLeader. */
  async timesHere(id: LeaseId, withKeys: boolean): Promise<LeaseTimes> {
    const { parts, store, linearizable, stepped } = this.#options;
    const { lessor, clock } = parts;
    await new Promise<void>((resolve, reject) => linearizable(resolve, reject));
    const keys = withKeys ? await stepped(store().keysOfLease(id)) : [];
    const lease = lessor.timeToLive(id, clock.monotonicMs());
    if (!lessor.isPrimary) throw errors.notLeader();
    if (lease?.remainingSeconds === undefined) throw errors.leaseNotFound();
    const { grantedTtlSeconds, remainingSeconds } = lease;
    return { grantedTtlSeconds, remainingSeconds, keys };
  }

  /** Has the leader renew a lease. */
  renew(id: LeaseId, done: KeepAliveDone): void {
    const { parts, leaderCalls } = this.#options;
    const { cluster, peers } = parts;
    const ask = (leader: Member) =>
      leader.id === cluster.localId ? this.#keepAliveHere(id) : peers.renewLease(leader, id);
    leaderCalls.ask(ask, [errors.leaseNotFound]).then(
      (ttlSeconds) => done(undefined, ttlSeconds),
      (error: EtcdError) =>
        error.message === errors.leaseNotFound.text ? done(undefined, 0) : done(error, 0),
    );
  }

  /** Has this member, as the leader, renew a lease for another one: gives its seconds. Rejects with etcd's errors. */
  async renewHere(id: LeaseId): Promise<number> {
    const ttlSeconds = await this.#keepAliveHere(id);
    if (ttlSeconds === 0) throw errors.leaseNotFound();
    return ttlSeconds;
  }

  #keepAliveHere(id: LeaseId): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#options.keepAliveHere(id, (error, ttlSeconds) => (error ? reject(error) : resolve(ttlSeconds)));
    });
  }
}

/**
 * What is known of the leases from outside: the earliest moment at which each may end, which is what its owner was
 * last told, and the latest moment at which it must.
 */
import { WrongData } from "./model.ts";

/** How much longer a lease may live after a kill: as src/lease/DESIGN.md says, or from the start as in etcd. */
export type LeaseRestart = "bounded" | "full";

interface Lease {
  readonly ttlMs: number;
  /** Nobody may see it end before this (performance.now()). */
  earliest: number;
  /** It must be gone after this, if the server runs. */
  latest: number;
  /** Asked for: it may be gone. Done: it must be. */
  revocation: "none" | "asked" | "done";
}

const secondMs = 1000;
/** Whole seconds are told, and answers take a moment on a busy machine. */
const toleranceMs = 2 * secondMs;
/** A server ends due leases now and then, not at the instant. */
const dueMs = 5 * secondMs;

export class LeaseBook {
  readonly #leases = new Map<bigint, Lease>();
  readonly #restart: LeaseRestart;

  constructor(restart: LeaseRestart) {
    this.#restart = restart;
  }

  ids(): bigint[] {
    return [...this.#leases.keys()];
  }

  has(id: bigint): boolean {
    return this.#leases.has(id);
  }

  /** Before a grant is sent. */
  granting(id: bigint, ttlSeconds: number): void {
    const ttlMs = ttlSeconds * secondMs;
    this.#leases.set(id, {
      ttlMs,
      earliest: 0,
      latest: Number.POSITIVE_INFINITY,
      revocation: "none",
    });
  }

  /** A grant or a renewal that was sent at `sentAt` was answered. */
  promised(id: bigint, sentAt: number, answeredAt = performance.now()): void {
    const lease = this.#leases.get(id);
    if (!lease) return;
    lease.earliest = Math.max(lease.earliest, sentAt + lease.ttlMs);
    lease.latest = answeredAt + lease.ttlMs;
  }

  /** A renewal was sent and not answered: it may have happened. */
  mayBeRenewed(id: bigint): void {
    const lease = this.#leases.get(id);
    if (lease) lease.latest = Math.max(lease.latest, performance.now() + lease.ttlMs);
  }

  revoking(id: bigint, state: "asked" | "done"): void {
    const lease = this.#leases.get(id);
    if (lease) lease.revocation = state;
  }

  /** It was refused, or a check has found that it is not there. */
  forget(id: bigint): void {
    this.#leases.delete(id);
  }

  /** The server was killed at `killedAt` and runs again now. */
  restarted(killedAt: number): void {
    const now = performance.now();
    for (const lease of this.#leases.values()) {
      const left = Math.max(0, lease.latest - killedAt);
      const bounded = Math.min(lease.ttlMs, 2 * left + 10 * secondMs);
      // The election timeout is granted on top.
      lease.latest = now + 2 * secondMs + (this.#restart === "full" ? lease.ttlMs : bounded);
    }
  }

  /** For so long the server could write nothing, and so end no lease. */
  stalled(ms: number): void {
    for (const lease of this.#leases.values()) lease.latest += ms;
  }

  /** The lease was seen to be gone. Throws if that is too early. */
  gone(id: bigint, at = performance.now()): void {
    const lease = this.#leases.get(id);
    if (lease?.revocation !== "none" || at >= lease.earliest) return;
    throw new WrongData(`lease ${id} is gone ${Math.round(lease.earliest - at)} ms before its time`);
  }

  /** The server has the lease, and says how many seconds are left: negative if it is due and not yet ended. */
  told(id: bigint, ttl: number): void {
    const lease = this.#leases.get(id);
    if (!lease) return;
    if (lease.revocation === "done")
      throw new WrongData(`lease ${id} is there, and its revocation was acknowledged`);
    if (ttl < 0) {
      this.gone(id);
      return;
    }
    const now = performance.now();
    if (lease.latest === Number.POSITIVE_INFINITY) lease.latest = now + lease.ttlMs + 2 * secondMs;
    const end = now + ttl * secondMs;
    if (lease.revocation === "none" && end + toleranceMs < lease.earliest) {
      throw new WrongData(
        `lease ${id} has ${ttl} s left, but ${seconds(lease.earliest - now)} s are promised`,
      );
    }
    if (end > lease.latest + toleranceMs) {
      throw new WrongData(
        `lease ${id} has ${ttl} s left and should have at most ${seconds(lease.latest - now)} s`,
      );
    }
  }

  /** The moment after which no lease may be left. */
  get allGoneBy(): number {
    const latest = [...this.#leases.values()].map((lease) => lease.latest).filter(Number.isFinite);
    return Math.max(performance.now(), ...latest) + dueMs;
  }
}

const seconds = (ms: number): string => (ms / secondMs).toFixed(1);

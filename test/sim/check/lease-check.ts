/** No lease ends before its time, and what members say of leases is true. */
import type { LeaseId } from "../../../src/lib/ids.ts";
import type { Truth } from "./truth.ts";
import { Violation } from "./violation.ts";

/** Members' clocks differ from time itself by no more than this part. */
const clockError = 0.006;
/** And a look at them may show so much too much. */
const clockAheadMs = 20;

interface Held {
  readonly id: LeaseId;
  readonly ttlMs: number;
  /** When the last renewal began that was answered with life. */
  aliveFromMs: number;
  /** Somebody asked for its end. */
  revokeAsked: boolean;
}

export class LeaseCheck {
  readonly #truth: Truth;
  readonly #held = new Map<LeaseId, Held>();
  #looked = 0;
  renewals = 0;
  expiries = 0;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  /** A grant was acknowledged that began at `startMs`. */
  granted(id: LeaseId, ttlSeconds: number, startMs: number): void {
    this.#held.set(id, { id, ttlMs: ttlSeconds * 1000, aliveFromMs: startMs, revokeAsked: false });
    this.look();
  }

  /** A keep-alive that began at `startMs` was answered: with 0 if the lease is gone. */
  renewed(id: LeaseId, ttlSeconds: number, startMs: number): void {
    this.renewals++;
    const held = this.#held.get(id);
    if (held === undefined) return;
    const revokedMs = this.#truth.revokedAtMs.get(id);
    if (ttlSeconds === 0) {
      if (revokedMs === undefined)
        throw new Violation("leases", `lease ${id} is called gone and was not revoked`);
      return;
    }
    if (!held.revokeAsked && revokedMs !== undefined && startMs > revokedMs) {
      throw new Violation(
        "leases",
        `lease ${id} is called alive at ${startMs} after its end at ${revokedMs}`,
      );
    }
    held.aliveFromMs = Math.max(held.aliveFromMs, startMs);
    // Its end may be in the log already.
    this.#check(held);
  }

  revokeAsked(id: LeaseId): void {
    const held = this.#held.get(id);
    if (held !== undefined) held.revokeAsked = true;
  }

  /** Looks at what was committed since the last time. */
  look(): void {
    const { entries } = this.#truth;
    for (; this.#looked < entries.length; this.#looked++) {
      const { revokedLease } = entries[this.#looked]!;
      const held = revokedLease === undefined ? undefined : this.#held.get(revokedLease);
      if (held === undefined) continue;
      this.#check(held);
      if (!held.revokeAsked) this.expiries++;
    }
  }

  #check(held: Held): void {
    const endMs = this.#truth.revokedAtMs.get(held.id);
    if (endMs === undefined || held.revokeAsked) return;
    const earliestMs = held.aliveFromMs + held.ttlMs * (1 - clockError) - clockAheadMs;
    if (endMs >= earliestMs) return;
    throw new Violation(
      "leases never end early",
      `lease ${held.id} of ${held.ttlMs} ms, alive at ${held.aliveFromMs}, ended at ${endMs}`,
    );
  }
}

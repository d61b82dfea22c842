/** A store with a backend and a log, driven by the model's random operations. */
import type { Op } from "../../../test/model/random-ops.ts";
import type { Backend } from "../../backend/backend.ts";
import { EtcdError } from "../../errors/etcd-error.ts";
import type { LeaseId, RaftIndex, Revision } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import { finish } from "../../lib/steps.ts";
import { checkTxn } from "../check/check-txn.ts";
import { MvccStore } from "../store.ts";
import { term } from "./requests.ts";

/** An entry of the log, and the leases that there were when it was applied. */
interface Logged {
  readonly op: Op;
  readonly leases: ReadonlySet<LeaseId>;
}

export class StoreUnderTest {
  readonly backend: Backend;
  store: MvccStore;
  #leases: ReadonlySet<LeaseId> = new Set();
  readonly #log: Logged[] = [];
  #sealed: ReturnType<MvccStore["seal"]>;

  constructor(backend: Backend) {
    this.backend = backend;
    this.store = this.#open();
  }

  #open(): MvccStore {
    return new MvccStore({
      backend: this.backend,
      leases: { has: (lease) => this.#leases.has(lease) },
      cacheBytes: 4000,
    });
  }

  /** What the server would answer: a response, or the text of an error. `pause` is called between steps. */
  apply(op: Op, leases: ReadonlySet<LeaseId>, pause: () => void): unknown {
    try {
      if (op.kind === "range")
        return { response: withoutRevision(drive(this.store.range(op.request), pause)) };
      // The log only has what passed the check.
      if (op.kind === "txn") checkTxn(op.request, 128);
      this.#log.push({ op, leases: new Set(leases) });
      return { response: this.#applyLogged(this.#log.length - 1, pause) };
    } catch (error) {
      if (error instanceof EtcdError) return { error: error.message };
      throw error;
    }
  }

  #applyLogged(at: number, pause: () => void): unknown {
    const { op, leases } = this.#log[at]!;
    this.#leases = leases;
    const index = (at + 1) as RaftIndex;
    const { store } = this;
    switch (op.kind) {
      case "put":
        return store.applyPut(op.request, index, term);
      case "deleteRange":
        return drive(store.applyDeleteRange(op.request, index, term), pause);
      case "txn":
        return drive(store.applyTxn(op.request, index, term), pause);
      case "compact":
        return store.applyCompaction(op.revision as Revision, index, term);
      case "revoke":
        return drive(store.applyLeaseRevoke(op.lease, index, term), pause);
      default:
        return store.applyNothing(index, term);
    }
  }

  seal(): void {
    this.#sealed ??= this.store.seal();
  }

  /** The sealed generation becomes readable in the backend; the store does not know yet. */
  async write(): Promise<void> {
    if (this.#sealed === undefined || this.backend.position.appliedIndex >= this.#sealed.appliedIndex) return;
    await this.backend.write(this.#sealed);
  }

  async drop(): Promise<void> {
    if (this.#sealed === undefined) return;
    await this.write();
    this.store.dropSealed();
    this.#sealed = undefined;
  }

  /** Removes versions as far as the server should. */
  async compactBackend(): Promise<void> {
    const { compactRevision } = this.backend.position;
    const target = Math.min(compactRevision, this.store.oldestReadRevision);
    if (target > 0) await this.backend.compact(target as Revision);
  }

  /** Loses the overlay, and applies the log again from where the backend stands. */
  crash(): void {
    this.#sealed = undefined;
    this.store = this.#open();
    for (let at = this.backend.position.appliedIndex; at < this.#log.length; at++) {
      try {
        this.#applyLogged(at, () => {});
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
      }
    }
  }
}

export function drive<T>(steps: Steps<T>, pause: () => void): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    pause();
  }
}

function withoutRevision<T extends { revision: unknown }>({ revision: _, ...rest }: T) {
  return rest;
}

export { finish };

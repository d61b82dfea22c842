/**
 * The store's state: an active generation that takes changes, at most one sealed generation on its way to the backend,
 * and the backend below. The newest layer that knows a key wins.
 *
 * One transaction is written at a time. Its versions go straight into the active generation with the revision after
 * the current one, so no reader at `revision` sees them; `commit` makes them visible by moving `revision`.
 */
import type { Backend, BinaryKey, Version, VersionHead } from "../../backend/backend.ts";
import type { LeaseId, RaftIndex, Revision, Term } from "../../lib/ids.ts";
import { OverlayGeneration, tombstone } from "./generation.ts";
import { HotCache } from "./hot-cache.ts";

/** The part of a backend that the store reads. */
export type ReadableBackend = Pick<
  Backend,
  "position" | "versionAt" | "newestHead" | "scanPart" | "count" | "history" | "keysOfLease" | "meta"
>;

export class Layers {
  readonly backend: ReadableBackend;
  readonly cache: HotCache;
  active: OverlayGeneration;
  sealed: OverlayGeneration | undefined = undefined;
  /** What reads see. */
  revision: Revision;
  /** -1 before the first compaction, as in etcd. */
  compactRevision: Revision;
  appliedIndex: RaftIndex;
  appliedTerm: Term;
  /** Changes that the transaction in progress has made: the sub revision of its next one. */
  pending = 0;
  /** True from `begin` to `commit` or `cancel`. */
  writing = false;
  /**
   * No key after this one lives in the backend (undefined: unknown). Keys that come in order, as in a bulk load or from
   * a client that puts the time into its keys, are new without a look into the backend: that look is most of the price
   * of their put.
   */
  #lastKey: BinaryKey | undefined;
  /** A transaction was given up after some of its changes were made: nothing can be believed any more. */
  #broken = false;

  constructor(backend: ReadableBackend, cacheBytes?: number) {
    const { position } = backend;
    this.backend = backend;
    this.cache = new HotCache(cacheBytes);
    this.revision = position.revision;
    this.compactRevision = position.compactRevision > 0 ? position.compactRevision : (-1 as Revision);
    this.appliedIndex = position.appliedIndex;
    this.appliedTerm = position.appliedTerm;
    this.active = new OverlayGeneration(position.revision);
    this.#lastKey = lastLivingKey(backend, position.revision);
  }

  /** The newest revision that the backend answers for; what is after it is in the generations. */
  get baseRevision(): Revision {
    return (this.sealed ?? this.active).baseRevision;
  }

  /** The revision that reads inside the transaction in progress see: with its own changes, if it made any. */
  get writeRevision(): Revision {
    return (this.pending > 0 ? this.revision + 1 : this.revision) as Revision;
  }

  /** The newest committed version of a key, tombstones included. */
  newest(key: BinaryKey): Version | undefined {
    const chain = this.active.chains.get(key);
    if (chain !== undefined) {
      const version = chain.at(this.revision);
      if (version !== undefined) return version;
    }
    return this.#newestBelowActive(key, chain === undefined);
  }

  /** The same as the transaction in progress sees it: its own changes count. */
  newestWritten(key: BinaryKey): Version | undefined {
    const chain = this.active.chains.get(key);
    return chain?.newest ?? this.#newestBelowActive(key, chain === undefined);
  }

  #newestBelowActive(key: BinaryKey, cacheable: boolean): Version | undefined {
    const sealed = this.sealed?.chains.get(key)?.newest;
    if (sealed !== undefined) return sealed;
    const cached = this.cache.get(key);
    if (cached !== undefined) return cached.version;
    const version = this.backend.versionAt(key, this.baseRevision);
    if (cacheable) this.cache.set(key, version);
    return version;
  }

  #headBelowActive(key: BinaryKey): VersionHead | undefined {
    const sealed = this.sealed?.chains.get(key)?.newest;
    if (sealed !== undefined) return sealed;
    if (this.#lastKey !== undefined && key > this.#lastKey) return undefined;
    const cached = this.cache.get(key);
    return cached === undefined ? this.backend.newestHead(key) : cached.version;
  }

  /** Starts the one transaction. */
  begin(index: RaftIndex): void {
    if (this.#broken) throw new Error("mvcc: the store is unusable: a transaction was given up half-way");
    if (this.writing) throw new Error("mvcc: a transaction is already being applied");
    if (index < this.appliedIndex) {
      throw new Error(`mvcc: entry ${index} comes after entry ${this.appliedIndex} was applied`);
    }
    this.writing = true;
  }

  /** Adds a put to the transaction in progress. */
  put(key: BinaryKey, keyBytes: Uint8Array, value: Uint8Array, lease: LeaseId): void {
    const { active } = this;
    let chain = active.chains.get(key);
    const head = chain?.newest ?? this.#headBelowActive(key);
    const lives = head !== undefined && head.version !== 0;
    if (chain === undefined) {
      chain = active.addChain(key, keyBytes, lives);
      this.cache.delete(key);
    }
    const revision = (this.revision + 1) as Revision;
    active.append(chain, revision, this.pending++, {
      createRevision: lives ? head.createRevision : revision,
      version: lives ? head.version + 1 : 1,
      lease,
      value,
    });
  }

  /** Adds the deletion of a key that lives to the transaction in progress. */
  remove(key: BinaryKey, keyBytes: Uint8Array): void {
    const { active } = this;
    let chain = active.chains.get(key);
    if (chain === undefined) {
      chain = active.addChain(key, keyBytes, true);
      this.cache.delete(key);
    }
    active.append(chain, (this.revision + 1) as Revision, this.pending++, tombstone);
  }

  /** Ends the transaction: its changes, if it made any, become visible as one revision. */
  commit(index: RaftIndex, term: Term): void {
    if (this.pending > 0) {
      this.revision = (this.revision + 1) as Revision;
      this.pending = 0;
    }
    this.writing = false;
    this.appliedIndex = index;
    this.appliedTerm = term;
  }

  /**
   * Ends a transaction that did not reach its commit. One that was refused before its first change counts as applied
   * (the entry is done with); one that made changes leaves the store broken, which is fatal for the server.
   */
  cancel(index: RaftIndex, term: Term): void {
    if (this.pending > 0) this.#broken = true;
    else this.commit(index, term);
  }

  seal(): OverlayGeneration {
    if (this.sealed !== undefined || this.writing) throw new Error("mvcc: cannot seal now");
    const { active } = this;
    this.sealed = active;
    this.active = new OverlayGeneration(this.revision);
    return active;
  }

  dropSealed(): void {
    if (this.sealed === undefined) throw new Error("mvcc: no generation is sealed");
    if (this.backend.position.revision < this.active.baseRevision) {
      throw new Error("mvcc: the backend has not got the sealed generation");
    }
    const cursor = this.sealed.ordered.cursor();
    if (cursor.seekLast() && this.#lastKey !== undefined && cursor.key > this.#lastKey)
      this.#lastKey = cursor.key;
    this.sealed = undefined;
  }
}

/** The last key that lives, "" if there is none, undefined if it lies behind too many dead ones to look for. */
function lastLivingKey(backend: ReadableBackend, revision: Revision): BinaryKey | undefined {
  const everything = { from: "", to: undefined };
  const { rows, rest } = backend.scanPart(everything, {
    atRevision: revision,
    limit: 1,
    visits: 1000,
    descending: true,
    keysOnly: true,
  });
  return rows[0]?.key ?? (rest === undefined ? "" : undefined);
}

/**
 * Makes generations as mvcc would: revisions that follow each other, versions that count, tombstones only for keys
 * that live.
 */
import type { LeaseId, RaftIndex, Revision, Term } from "../../lib/ids.ts";
import { noLease } from "../../lib/ids.ts";
import type { BinaryKey, Generation, MetaChange, Version } from "../backend.ts";

export type Change =
  | { readonly put: BinaryKey; readonly value?: Uint8Array | string; readonly lease?: bigint }
  | { readonly delete: BinaryKey };

export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

export class HistoryMaker {
  revision = 1;
  appliedIndex = 0;
  compactRevision = 0;
  readonly #live = new Map<BinaryKey, { createRevision: number; version: number }>();
  #versions: Version[] = [];
  #meta: MetaChange[] = [];

  isLive(key: BinaryKey): boolean {
    return this.#live.has(key);
  }

  /** One revision. Deletes of keys that do not live are left out; without any effect there is no revision. */
  transaction(...changes: readonly Change[]): this {
    const revision = (this.revision + 1) as Revision;
    let sub = 0;
    for (const change of changes) {
      const key = "put" in change ? change.put : change.delete;
      const before = this.#live.get(key);
      if ("put" in change) {
        const now = {
          createRevision: before?.createRevision ?? revision,
          version: (before?.version ?? 0) + 1,
        };
        this.#live.set(key, now);
        const value =
          typeof change.value === "string" ? bytesOf(change.value) : (change.value ?? new Uint8Array());
        const lease = (change.lease ?? noLease) as LeaseId;
        const { createRevision, version } = now as { createRevision: Revision; version: number };
        this.#versions.push({
          key,
          modRevision: revision,
          sub: sub++,
          createRevision,
          version,
          lease,
          value,
        });
      } else if (before) {
        this.#live.delete(key);
        this.#versions.push({
          key,
          modRevision: revision,
          sub: sub++,
          createRevision: 0 as Revision,
          version: 0,
          lease: noLease,
          value: new Uint8Array(),
        });
      }
    }
    if (sub > 0) this.revision = revision;
    this.appliedIndex++;
    return this;
  }

  put(key: BinaryKey, value: Uint8Array | string = "", lease = 0n): this {
    return this.transaction({ put: key, value, lease });
  }

  delete(key: BinaryKey): this {
    return this.transaction({ delete: key });
  }

  meta(bucket: string, key: BinaryKey, value: string | undefined): this {
    this.#meta.push({ bucket, key, value: value === undefined ? undefined : bytesOf(value) });
    this.appliedIndex++;
    return this;
  }

  compactTo(revision: number): this {
    this.compactRevision = revision;
    this.appliedIndex++;
    return this;
  }

  /** What was made since the last call. */
  generation(): Generation {
    const generation = {
      versions: this.#versions,
      meta: this.#meta,
      appliedIndex: this.appliedIndex as RaftIndex,
      appliedTerm: 1 as Term,
      revision: this.revision as Revision,
      compactRevision: this.compactRevision as Revision,
    };
    this.#versions = [];
    this.#meta = [];
    return generation;
  }
}

/**
 * A backend as plain as can be: all versions in one array, searched from end to end. For tests of the store alone, where
 * what the backend does should be obvious.
 */
import type {
  Backend,
  BackendPosition,
  BinaryKey,
  CompactionProgress,
  Generation,
  KeySpan,
  ScanOptions,
  ScanPart,
  ScanPartOptions,
  Version,
  VersionHead,
} from "../../backend/backend.ts";
import type { LeaseId, RaftIndex, Revision, Term } from "../../lib/ids.ts";

const noBytes = new Uint8Array(0);

export class PlainBackend implements Backend {
  readonly name = "plain";
  position: BackendPosition = {
    revision: 1 as Revision,
    appliedIndex: 0 as RaftIndex,
    appliedTerm: 0 as Term,
    compactRevision: -1 as Revision,
    compactedRevision: -1 as Revision,
  };
  #versions: Version[] = [];
  readonly #meta = new Map<string, Map<BinaryKey, Uint8Array>>();
  /** How many reads of each kind were made. */
  readonly reads = { versionAt: 0, newestHead: 0, scan: 0, count: 0 };

  versionAt(key: BinaryKey, atRevision: Revision): Version | undefined {
    this.reads.versionAt++;
    return this.#versions.findLast((v) => v.key === key && v.modRevision <= atRevision);
  }

  newestHead(key: BinaryKey): VersionHead | undefined {
    this.reads.newestHead++;
    return this.#versions.findLast((v) => v.key === key);
  }

  scan(span: KeySpan, options: ScanOptions): Version[] {
    this.reads.scan++;
    const rows = this.#live(span, options.atRevision);
    if (options.descending) rows.reverse();
    const found = rows.slice(0, options.limit);
    return options.keysOnly ? found.map((row) => ({ ...row, value: noBytes })) : found;
  }

  /** Stops early at the slightest excuse, as the contract allows. */
  scanPart(span: KeySpan, options: ScanPartOptions): ScanPart {
    const limit = Math.min(options.limit, 3);
    const rows = this.scan(span, { ...options, limit });
    if (rows.length < limit) return { rows, rest: undefined };
    const last = rows[rows.length - 1]!.key;
    const rest = options.descending ? { from: span.from, to: last } : { from: `${last}\0`, to: span.to };
    return { rows, rest };
  }

  count(span: KeySpan, atRevision: Revision, limit: number) {
    this.reads.count++;
    const rows = this.#live(span, atRevision);
    return { count: Math.min(rows.length, limit), next: rows[limit]?.key };
  }

  history(after: { revision: Revision; sub: number }, limit: number, bytes: number): Version[] {
    const found: Version[] = [];
    let sum = 0;
    for (let at = this.#firstAfter(after); at < this.#versions.length; at++) {
      const version = this.#versions[at]!;
      if (found.length >= limit || sum >= bytes) break;
      found.push(version);
      sum += version.value.length;
    }
    return found;
  }

  #firstAfter(after: { revision: Revision; sub: number }): number {
    let low = 0;
    let high = this.#versions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { modRevision, sub } = this.#versions[middle]!;
      if (modRevision < after.revision || (modRevision === after.revision && sub <= after.sub))
        low = middle + 1;
      else high = middle;
    }
    return low;
  }

  keysOfLease(lease: LeaseId, after: BinaryKey | undefined, limit: number): BinaryKey[] {
    const rows = this.#live({ from: "", to: undefined }, this.position.revision);
    return rows
      .filter((row) => row.lease === lease && (after === undefined || row.key > after))
      .slice(0, limit)
      .map((row) => row.key);
  }

  meta(bucket: string, after: BinaryKey | undefined, limit: number) {
    return [...(this.#meta.get(bucket) ?? [])]
      .map(([key, value]) => ({ key, value }))
      .filter((row) => after === undefined || row.key > after)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .slice(0, limit);
  }

  write(generation: Generation): Promise<void> {
    this.writeNow(generation);
    return Promise.resolve();
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  get durable(): BackendPosition {
    return this.position;
  }

  writeNow(generation: Generation): void {
    for (const v of generation.versions) {
      const { key, modRevision, sub, createRevision, version, lease, value } = v;
      this.#versions.push({ key, modRevision, sub, createRevision, version, lease, value });
    }
    for (const { bucket, key, value } of generation.meta) {
      const rows = this.#meta.get(bucket) ?? new Map<BinaryKey, Uint8Array>();
      this.#meta.set(bucket, rows);
      if (value === undefined) rows.delete(key);
      else rows.set(key, value);
    }
    const { appliedIndex, appliedTerm, revision, compactRevision } = generation;
    this.position = { ...this.position, appliedIndex, appliedTerm, revision, compactRevision };
  }

  compact(revision: Revision): Promise<CompactionProgress> {
    const before = this.#versions.length;
    const newest = new Map<BinaryKey, Version>();
    for (const v of this.#versions) if (v.modRevision <= revision) newest.set(v.key, v);
    this.#versions = this.#versions.filter(
      (v) =>
        v.modRevision > revision ||
        (newest.get(v.key) === v && (v.version !== 0 || v.modRevision === revision)),
    );
    this.position = { ...this.position, compactedRevision: revision };
    return Promise.resolve({ removed: before - this.#versions.length });
  }

  defragment(): Promise<void> {
    return Promise.resolve();
  }

  sizes() {
    return { totalBytes: 0, inUseBytes: 0 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #live(span: KeySpan, atRevision: Revision): Version[] {
    const newest = new Map<BinaryKey, Version>();
    for (const v of this.#versions) {
      if (v.modRevision > atRevision || v.key < span.from) continue;
      if (span.to === undefined || v.key < span.to) newest.set(v.key, v);
    }
    return [...newest.values()].filter((v) => v.version !== 0).sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}

/**
 * The backend in memory: for tests, for simulation, and for who wants an etcd that forgets. The same contract as on
 * SQLite, except that nothing survives the process; `durable` is what `position` is, so that the log does not grow for
 * the sake of a store that could not use it.
 */
import { assert } from "../../lib/assert.ts";
import { type LeaseId, noLease, type RaftIndex, type Revision, type Term } from "../../lib/ids.ts";
import { type Cursor, OrderedMap } from "../../lib/ordered-map.ts";
import type {
  Backend,
  BackendPosition,
  BinaryKey,
  CompactionPace,
  CompactionProgress,
  Generation,
  KeySpan,
  ScanOptions,
  ScanPart,
  ScanPartOptions,
  Version,
  VersionHead,
} from "../backend.ts";
import { BackendClosedError } from "../errors.ts";
import { History } from "./history.ts";

export interface MemoryBackendOptions {
  /** Lets others run between two pieces of work; default: a turn of the event loop. A simulation passes its own. */
  readonly pause?: () => Promise<void>;
}

/** Versions written, or looked at by compaction, between two pauses: about 2 ms. */
const rowsPerPiece = 1000;
const visitsDefault = 5000;
/** What a version takes beside its key and value, roughly. */
const versionOverheadBytes = 120;

const noBytes = new Uint8Array(0);

export class MemoryBackend implements Backend {
  readonly name = "memory";
  readonly #pause: () => Promise<void>;
  /** All versions of each key, oldest first. Never empty. */
  readonly #keys = new OrderedMap<Version[]>();
  readonly #history = new History();
  readonly #leases = new Map<LeaseId, OrderedMap<true>>();
  readonly #meta = new Map<string, OrderedMap<Uint8Array>>();
  #position: BackendPosition = {
    revision: 1 as Revision,
    appliedIndex: 0 as RaftIndex,
    appliedTerm: 0 as Term,
    compactRevision: 0 as Revision,
    compactedRevision: 0 as Revision,
  };
  /** Compaction has been over all versions up to this one. */
  #compacted = { revision: 0, sub: 0 };
  #bytesInUse = 0;
  #bytesTotal = 0;
  #closed = false;
  #writes: Promise<void> = Promise.resolve();
  #background: Promise<unknown> = Promise.resolve();

  constructor(options: MemoryBackendOptions = {}) {
    this.#pause = options.pause ?? (() => new Promise((resolve) => setImmediate(resolve)));
  }

  get position(): BackendPosition {
    return this.#position;
  }

  get durable(): BackendPosition {
    return this.#position;
  }

  versionAt(key: BinaryKey, atRevision: Revision): Version | undefined {
    this.#throwIfClosed();
    const versions = this.#keys.get(key);
    return versions && newestAt(versions, atRevision);
  }

  newestHead(key: BinaryKey): VersionHead | undefined {
    this.#throwIfClosed();
    return this.#keys.get(key)?.at(-1);
  }

  scan(span: KeySpan, options: ScanOptions): Version[] {
    return this.scanPart(span, { ...options, visits: Number.POSITIVE_INFINITY }).rows;
  }

  scanPart(span: KeySpan, options: ScanPartOptions): ScanPart {
    this.#throwIfClosed();
    const { atRevision, limit, descending = false, keysOnly = false } = options;
    const { bytes = Number.POSITIVE_INFINITY, visits = visitsDefault } = options;
    const rows: Version[] = [];
    if (limit <= 0) return { rows, rest: span };
    const cursor = this.#keys.cursor();
    let size = 0;
    let visited = 0;
    for (
      let more = begin(cursor, span, descending);
      more;
      more = descending ? cursor.previous() : cursor.next()
    ) {
      const { key } = cursor;
      if (descending ? key < span.from : span.to !== undefined && key >= span.to) break;
      const version = newestAt(cursor.value, atRevision);
      if (version && version.version > 0) {
        const row = keysOnly ? { ...version, value: noBytes } : version;
        rows.push(row);
        size += key.length + row.value.length;
      }
      if (rows.length < limit && size < bytes && ++visited < visits) continue;
      return { rows, rest: descending ? { from: span.from, to: key } : { from: `${key}\0`, to: span.to } };
    }
    return { rows, rest: undefined };
  }

  count(span: KeySpan, atRevision: Revision, limit: number): { count: number; next: BinaryKey | undefined } {
    this.#throwIfClosed();
    const cursor = this.#keys.cursor();
    let count = 0;
    let visited = 0;
    for (let more = cursor.seek(span.from); more; more = cursor.next()) {
      if (span.to !== undefined && cursor.key >= span.to) break;
      if (visited++ === limit) return { count, next: cursor.key };
      const version = newestAt(cursor.value, atRevision);
      if (version && version.version > 0) count++;
    }
    return { count, next: undefined };
  }

  history(after: { revision: Revision; sub: number }, limit: number, bytes: number): Version[] {
    this.#throwIfClosed();
    const found: Version[] = [];
    let { revision, sub } = after;
    let size = 0;
    for (;;) {
      const block = this.#history.after(revision, sub);
      for (const version of block) {
        if (found.length >= limit || size >= bytes || version.modRevision > this.#position.revision)
          return found;
        found.push(version);
        size += version.key.length + version.value.length;
        revision = version.modRevision;
        sub = version.sub;
      }
      if (block.length === 0) return found;
    }
  }

  keysOfLease(lease: LeaseId, after: BinaryKey | undefined, limit: number): BinaryKey[] {
    this.#throwIfClosed();
    return take(this.#leases.get(lease), after, limit, (key) => key);
  }

  meta(bucket: string, after: BinaryKey | undefined, limit: number): { key: BinaryKey; value: Uint8Array }[] {
    this.#throwIfClosed();
    return take(this.#meta.get(bucket), after, limit, (key, value) => ({ key, value }));
  }

  write(generation: Generation): Promise<void> {
    if (this.#closed) return Promise.reject(new BackendClosedError());
    // After one that failed all that follow fail too, with its error.
    const written = this.#writes.then(() => this.#write(generation));
    this.#writes = written;
    return written;
  }

  async sync(): Promise<void> {
    this.#throwIfClosed();
    await this.#writes;
  }

  compact(
    revision: Revision,
    signal?: { readonly aborted: boolean },
    pace?: CompactionPace,
  ): Promise<CompactionProgress> {
    return this.#inBackground(() => this.#compact(revision, signal, pace));
  }

  defragment(): Promise<void> {
    return this.#inBackground(async () => {
      this.#bytesTotal = this.#bytesInUse;
    });
  }

  sizes(): { totalBytes: number; inUseBytes: number } {
    return { totalBytes: this.#bytesTotal, inUseBytes: this.#bytesInUse };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([this.#writes, this.#background]);
  }

  async #write(generation: Generation): Promise<void> {
    // Not at once even for a small one: a caller must not be able to rely on it.
    await this.#pause();
    const { versions, meta, revision, appliedIndex, appliedTerm, compactRevision } = generation;
    let last: { modRevision: number; sub: number } = {
      modRevision: this.#position.revision,
      sub: Number.POSITIVE_INFINITY,
    };
    for (let i = 0; i < versions.length; i++) {
      if (i > 0 && i % rowsPerPiece === 0) await this.#pause();
      const version = versions[i]!;
      const { modRevision, sub } = version;
      const isNewer = modRevision > last.modRevision || (modRevision === last.modRevision && sub > last.sub);
      assert(isNewer, `version ${modRevision}.${sub} is not newer`);
      this.#append(version);
      last = version;
    }
    assert(revision >= last.modRevision, `revision ${revision} is behind its versions`);
    assert(appliedIndex >= this.#position.appliedIndex, "the applied index goes back");
    assert(compactRevision >= this.#position.compactRevision, "the compact revision goes back");
    for (const { bucket, key, value } of meta) {
      let rows = this.#meta.get(bucket);
      if (!rows) {
        rows = new OrderedMap();
        this.#meta.set(bucket, rows);
      }
      if (value === undefined) rows.delete(key);
      else rows.set(key, value);
    }
    this.#bytesTotal = Math.max(this.#bytesTotal, this.#bytesInUse);
    this.#position = { ...this.#position, revision, appliedIndex, appliedTerm, compactRevision };
  }

  #append(given: Version): void {
    const { key } = given;
    const version = own(given);
    const versions = this.#keys.get(key);
    this.#moveLease(key, versions?.at(-1)?.lease ?? noLease, version.lease);
    if (versions) versions.push(version);
    else this.#keys.set(key, [version]);
    this.#history.append(version);
    this.#bytesInUse += bytesOf(version);
  }

  #moveLease(key: BinaryKey, from: LeaseId, to: LeaseId): void {
    if (from === to) return;
    const left = this.#leases.get(from);
    left?.delete(key);
    if (left?.size === 0) this.#leases.delete(from);
    if (to === noLease) return;
    const keys = this.#leases.get(to) ?? new OrderedMap<true>();
    keys.set(key, true);
    this.#leases.set(to, keys);
  }

  /** See sqlite/compactor.ts: each version at or before `revision` has superseded the one before it. */
  async #compact(
    revision: Revision,
    signal?: { readonly aborted: boolean },
    pace?: CompactionPace,
  ): Promise<CompactionProgress> {
    let removed = 0;
    let looked = 0;
    let at = this.#compacted;
    while (!this.#closed && !signal?.aborted) {
      await this.#pause();
      const block = this.#history.after(at.revision, at.sub);
      const done = block.findIndex((version) => version.modRevision > revision);
      const batch = done < 0 ? block : block.slice(0, done);
      const gone = new Set<Version>();
      for (const { key } of batch) this.#trim(key, revision, gone);
      this.#history.remove(gone);
      removed += gone.size;
      const end = batch.at(-1);
      if (end) at = { revision: end.modRevision, sub: end.sub };
      // Tombstones at the revision itself stay: the next compaction has to look at them again.
      const last = batch.findLast((version) => version.modRevision < revision);
      if (last) this.#compacted = { revision: last.modRevision, sub: last.sub };
      if (done >= 0 || block.length === 0) {
        const compactedRevision = Math.max(revision, this.#position.compactedRevision) as Revision;
        this.#position = { ...this.#position, compactedRevision };
        break;
      }
      looked += batch.length;
      if (pace === undefined || looked < pace.batchRows) continue;
      looked = 0;
      await pace.rest();
    }
    return { removed };
  }

  #trim(key: BinaryKey, revision: Revision, gone: Set<Version>): void {
    const versions = this.#keys.get(key);
    if (!versions) return;
    let keep = countUntil(versions, revision) - 1;
    const last = versions[keep];
    if (last?.version === 0 && last.modRevision < revision) keep++;
    if (keep <= 0) return;
    for (const version of versions.splice(0, keep)) {
      gone.add(version);
      this.#bytesInUse -= bytesOf(version);
    }
    if (versions.length === 0) this.#keys.delete(key);
  }

  #inBackground<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new BackendClosedError());
    const result = this.#background.then(work, work);
    this.#background = result;
    return result;
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new BackendClosedError();
  }
}

/** How many of a key's versions are at or before `revision`. */
function countUntil(versions: readonly Version[], revision: number): number {
  // Most reads ask for the newest.
  if (versions[versions.length - 1]!.modRevision <= revision) return versions.length;
  let low = 0;
  let high = versions.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (versions[middle]!.modRevision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}

function newestAt(versions: readonly Version[], revision: number): Version | undefined {
  return versions[countUntil(versions, revision) - 1];
}

function begin(cursor: Cursor<Version[]>, span: KeySpan, descending: boolean): boolean {
  if (!descending) return cursor.seek(span.from);
  return span.to === undefined ? cursor.seekLast() : cursor.seekBelow(span.to);
}

function take<V, T>(
  map: OrderedMap<V> | undefined,
  after: BinaryKey | undefined,
  limit: number,
  pick: (key: BinaryKey, value: V) => T,
): T[] {
  const taken: T[] = [];
  if (!map) return taken;
  const cursor = map.cursor();
  let more = after === undefined ? cursor.seek("") : cursor.seekAbove(after);
  for (; more && taken.length < limit; more = cursor.next()) taken.push(pick(cursor.key, cursor.value));
  return taken;
}

/** A value that is a small part of a large buffer (a socket's chunk, say) would keep all of it alive. */
function own(version: Version): Version {
  const { value } = version;
  return value.byteLength * 2 >= value.buffer.byteLength ? version : { ...version, value: value.slice() };
}

function bytesOf(version: Version): number {
  return version.key.length + version.value.length + versionOverheadBytes;
}

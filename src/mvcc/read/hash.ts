/**
 * HashKV: a CRC-32C over what etcd keeps in its bucket "key", so that members of both kinds can compare. The key of a
 * row there is its revision (main and sub, big-endian, "_" between them, "t" behind for a tombstone), the value a
 * KeyValue message, which for a tombstone has nothing but the key.
 *
 * Which versions count must not depend on how far a member's physical compaction has got: see `counts`.
 */
import type { BinaryKey, Version } from "../../backend/backend.ts";
import { keyValueSize, writeKeyValue } from "../../codec/key-value.ts";
import { errors } from "../../errors/table.ts";
import { crc32c, crc32cOfView } from "../../lib/crc32c.ts";
import type { Revision } from "../../lib/ids.ts";
import { noLease } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import { keyBytesOf, toKeyValue } from "../overlay/generation.ts";
import type { Layers } from "../overlay/layers.ts";
import type { RevisionHash } from "../types.ts";
import { sortKeys } from "./lease-keys.ts";
import { MergedScan } from "./merged-scan.ts";
import { readMeta } from "./meta.ts";
import type { ReadPins } from "./read-pins.ts";
import { assertNotExpired } from "./read-pins.ts";
import { ReadView } from "./read-view.ts";

const rowsPerStep = 128;
const bytesPerStep = 1024 * 1024;

/** How many changed keys a hash keeps in memory; with more of them it asks the backend about each version instead, which
 * takes several times as long. */
const changedKeysMax = 65_536;

/** `compacted` is the compact revision that the hash pretends; the versions between it and the real one have to be
 * there still. With it the hash is that of a compaction at the requested revision. */
export function* hashByRevision(
  layers: Layers,
  pins: ReadPins,
  requested: number,
  compacted?: Revision,
): Steps<RevisionHash> {
  const { revision } = layers;
  const compactRevision = compacted ?? layers.compactRevision;
  if (requested > 0 && requested < compactRevision) throw errors.compacted();
  if (requested > revision) throw errors.futureRev();
  const hashRevision = (requested > 0 ? requested : revision) as Revision;
  // A compaction further on would remove versions that this hash counts.
  const pin = pins.hold(Math.max(compactRevision, 0) as Revision);
  try {
    const view = new ReadView(layers, hashRevision);
    const hasher = new Hasher(view, compactRevision, compacted !== undefined);
    const steps = hasher.run();
    for (let step = steps.next(); !step.done; step = steps.next()) {
      yield;
      assertNotExpired(pin);
    }
    return { hash: hasher.crc, hashRevision, compactRevision, revision };
  } finally {
    pins.release(pin);
  }
}

/** Everything: the versions as in HashKV, then the rows of the buckets, in order. */
export function* hashAll(layers: Layers, pins: ReadPins, buckets: readonly string[]): Steps<number> {
  let { hash } = yield* hashByRevision(layers, pins, 0);
  for (const bucket of buckets) {
    hash = crc32c(asciiBytes(bucket), hash);
    const rows = yield* readMeta(layers, bucket);
    let hashed = 0;
    // There may be a million leases.
    for (const key of yield* sortKeys([...rows.keys()])) {
      hash = crc32c(asciiBytes(key), hash);
      hash = crc32c(rows.get(key)!, hash);
      if (++hashed % rowsPerStep === 0) yield;
    }
    yield;
  }
  return hash;
}

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0));
}

class Hasher {
  crc = crc32c(asciiBytes("key"));
  readonly #view: ReadView;
  readonly #compactRevision: Revision;
  /** Where each row is put together. */
  #row = new DataView(new ArrayBuffer(4096));
  /** What lives at the compact revision; only asked when nothing lives at the view's revision. */
  #atCompaction: ReadView | undefined;
  /** Keys with versions after the compact revision; undefined if the backend has to be asked. */
  #changed: Set<BinaryKey> | undefined;

  readonly #isOfCompaction: boolean;

  constructor(view: ReadView, compactRevision: Revision, isOfCompaction: boolean) {
    this.#view = view;
    this.#compactRevision = compactRevision;
    this.#isOfCompaction = isOfCompaction;
  }

  *run(): Steps<void> {
    const view = this.#view;
    yield* this.#lookForLife();
    yield* this.#lookForChanges();
    let place = { revision: 0 as Revision, sub: 0 };
    for (;;) {
      const page = view.backend.history(place, rowsPerStep, bytesPerStep);
      for (const version of page) {
        if (version.modRevision <= view.backendRevision) this.#add(version);
      }
      const last = page[page.length - 1];
      if (last === undefined || last.modRevision > view.backendRevision) break;
      place = { revision: last.modRevision, sub: last.sub };
      yield;
    }
    for (const generation of [view.sealed, view.active]) {
      let added = 0;
      for (const version of generation?.versions ?? []) {
        if (version.modRevision > view.revision) break;
        this.#add(version);
        if (++added % rowsPerStep === 0) yield;
      }
    }
  }

  /** etcd's rule has an exception: with no living key at all, nothing counts as superseded. */
  *#lookForLife(): Steps<void> {
    if (this.#compactRevision <= 0) return;
    const scan = new MergedScan(this.#view, { from: "", to: undefined }, { keysOnly: true, expectedRows: 1 });
    const rows: Version[] = [];
    while (!scan.done && rows.length === 0) {
      scan.fill(rows, 1);
      yield;
    }
    if (rows.length > 0 || (this.#isOfCompaction && this.#deletesAtEnd())) return;
    this.#atCompaction = this.#view.at(this.#compactRevision);
  }

  /** A compaction of etcd's keeps the tombstones of its own revision: then there is something, though nothing lives. */
  #deletesAtEnd(): boolean {
    const { backend, revision, sealed, active } = this.#view;
    const place = { revision: (revision - 1) as Revision, sub: Number.MAX_SAFE_INTEGER };
    // One row tells: what a revision writes and does not delete would live.
    const rows: readonly (Version | undefined)[] = [
      backend.history(place, 1, bytesPerStep)[0],
      ...[sealed, active].map((generation) => generation?.versions[generation.firstAfter(place.revision)]),
    ];
    return rows.some((row) => row?.modRevision === revision && row.version === 0 && row.key !== "");
  }

  /**
   * After a finished compaction a key has at most one living version at or before the compact revision. That one has been
   * superseded if the key changed since: so a look at what came after spares one for each version that came before.
   */
  *#lookForChanges(): Steps<void> {
    const view = this.#view;
    const after = this.#compactRevision;
    if (after <= 0 || view.backend.position.compactedRevision < after) return;
    const changed = new Set<BinaryKey>();
    this.#changed = changed;
    if (this.#atCompaction !== undefined) return;
    let place = { revision: after, sub: Number.MAX_SAFE_INTEGER };
    for (;;) {
      const page = view.backend.history(place, rowsPerStep, bytesPerStep);
      for (const { key, modRevision } of page) if (modRevision <= view.backendRevision) changed.add(key);
      const last = page[page.length - 1];
      if (last === undefined || last.modRevision > view.backendRevision) break;
      place = { revision: last.modRevision, sub: last.sub };
      if (changed.size > changedKeysMax) break;
      yield;
    }
    for (const generation of [view.sealed, view.active]) {
      for (const { key, modRevision } of generation?.versions ?? []) {
        if (changed.size > changedKeysMax || modRevision > view.revision) break;
        if (modRevision > after) changed.add(key);
        if (changed.size % rowsPerStep === 0) yield;
      }
    }
    if (changed.size > changedKeysMax) this.#changed = undefined;
  }

  #add(version: Version): void {
    if (!this.#counts(version)) return;
    const isTombstone = version.version === 0;
    const keyBytes = keyBytesOf(version);
    // No client can write the empty key: it marks a revision that was bumped, and etcd keeps nothing for it.
    const isBare = isTombstone || keyBytes.length === 0;
    const kv = isBare ? bareKeyValue(keyBytes) : toKeyValue(version, keyBytes);
    const size = revisionBytesMax + keyValueSize(kv);
    if (size > this.#row.byteLength) this.#row = new DataView(new ArrayBuffer(size * 2));
    const row = this.#row;
    const end = writeKeyValue(new Uint8Array(row.buffer), writeRevision(row, version, isTombstone), kv);
    this.crc = crc32cOfView(row, 0, end, this.crc);
  }

  /**
   * All versions after the compact revision. Of the others those that are still the newest of their key at the view's
   * revision, and alive: a version that was superseded is gone, or will be.
   */
  #counts(version: Version): boolean {
    if (version.modRevision > this.#compactRevision) return true;
    if (version.version === 0) return false;
    if (this.#changed !== undefined) return !this.#changed.has(version.key);
    return isNewest(this.#atCompaction ?? this.#view, version);
  }
}

function isNewest(view: ReadView, version: Version): boolean {
  let newest: Pick<Version, "modRevision" | "sub"> | undefined = view.overlayVersionAt(version.key);
  if (newest === undefined) {
    newest = view.backend.newestHead(version.key);
    if (newest !== undefined && newest.modRevision > view.backendRevision) {
      newest = view.backend.versionAt(version.key, view.backendRevision);
    }
  }
  return newest?.modRevision === version.modRevision && newest.sub === version.sub;
}

function bareKeyValue(key: Uint8Array) {
  return { key, createRevision: 0, modRevision: 0, version: 0, value: new Uint8Array(0), lease: noLease };
}

/** With the mark of a tombstone. */
const revisionBytesMax = 18;

function writeRevision(row: DataView, version: Version, isTombstone: boolean): number {
  writeUint64(row, 0, version.modRevision);
  row.setUint8(8, 0x5f);
  writeUint64(row, 9, version.sub);
  if (!isTombstone) return 17;
  row.setUint8(17, 0x74);
  return 18;
}

function writeUint64(row: DataView, at: number, value: number): void {
  row.setUint32(at, Math.floor(value / 0x1_0000_0000));
  row.setUint32(at + 4, value >>> 0);
}

/**
 * One generation of the overlay: the changes of some consecutive log entries, not yet in the backend. It only ever
 * grows, and versions newer than the store's revision (those of a transaction that is still being written) are at its
 * end, so whoever holds a generation and a revision holds a snapshot.
 */
import type { BinaryKey, Generation, MetaChange, Version } from "../../backend/backend.ts";
import type { KeyValue } from "../../codec/kv.ts";
import { fromBinaryKey } from "../../lib/binary-key.ts";
import type { LeaseId, RaftIndex, Revision, Term } from "../../lib/ids.ts";
import { noLease } from "../../lib/ids.ts";
import { OrderedMap } from "../../lib/ordered-map.ts";

/** What a version costs in the overlay beside its key and value: objects, links and index, in bytes. */
export const versionOverheadBytes = 200;
/** The same for a row of metadata. */
export const metaOverheadBytes = 100;

/** A version in the overlay, linked to the versions of its key before it in the same generation. */
export class OverlayVersion implements Version {
  readonly key: BinaryKey;
  readonly keyBytes: Uint8Array;
  readonly modRevision: Revision;
  readonly sub: number;
  readonly createRevision: Revision;
  readonly version: number;
  readonly lease: LeaseId;
  readonly value: Uint8Array;
  readonly older: OverlayVersion | undefined;
  /**
   * A link further back. With one such link a version (chosen as in Myers' skew-binary lists) an old version of a key
   * that was overwritten n times is found in O(log n) moves, for a few nanoseconds a put.
   */
  readonly jump: OverlayVersion | undefined;
  readonly depth: number;

  constructor(chain: KeyChain, revision: Revision, sub: number, content: VersionContent) {
    const older = chain.newest;
    this.key = chain.key;
    this.keyBytes = chain.keyBytes;
    this.modRevision = revision;
    this.sub = sub;
    this.createRevision = content.createRevision;
    this.version = content.version;
    this.lease = content.lease;
    this.value = ownBytes(content.value);
    this.older = older;
    if (older === undefined) {
      this.depth = 0;
      this.jump = undefined;
    } else {
      this.depth = older.depth + 1;
      const jump = older.jump;
      const far = jump?.jump;
      const balanced =
        jump !== undefined && far !== undefined && older.depth - jump.depth === jump.depth - far.depth;
      this.jump = balanced ? far : older;
    }
  }
}

/**
 * Keys and values are views into the message they came in. A small view into a large buffer (many messages read from a
 * socket at once) would hold on to all of it for as long as the overlay lives, uncounted: that one is copied.
 */
export function ownBytes(view: Uint8Array): Uint8Array {
  if (view.byteOffset === 0 || view.buffer.byteLength <= 2 * view.length + viewSlackBytes) return view;
  return view.slice();
}

/** What the rest of a message may be larger than twice the view. */
const viewSlackBytes = 1024;

/** What a put or a delete decides about a version; the rest follows from its place. */
export interface VersionContent {
  readonly createRevision: Revision;
  readonly version: number;
  readonly lease: LeaseId;
  readonly value: Uint8Array;
}

const emptyBytes = new Uint8Array(0);

/** What a deletion leaves. */
export const tombstone: VersionContent = {
  createRevision: 0 as Revision,
  version: 0,
  lease: noLease,
  value: emptyBytes,
};

/** A key of a generation with its versions in it. */
export class KeyChain {
  readonly key: BinaryKey;
  /** The bytes of the first request that named the key: shared by all versions, so that a key overwritten often
   * holds on to one copy. */
  readonly keyBytes: Uint8Array;
  /** Whether the key lived right before this generation: lets a count add up overlay and backend without asking the
   * backend for each key. */
  readonly livedBefore: boolean;
  newest: OverlayVersion | undefined = undefined;

  constructor(key: BinaryKey, keyBytes: Uint8Array, livedBefore: boolean) {
    this.key = key;
    this.keyBytes = keyBytes;
    this.livedBefore = livedBefore;
  }

  /** The newest version with modRevision <= revision. */
  at(revision: Revision): OverlayVersion | undefined {
    let version = this.newest;
    while (version !== undefined && version.modRevision > revision) {
      const { jump } = version;
      version = jump !== undefined && jump.modRevision > revision ? jump : version.older;
    }
    return version;
  }
}

export class OverlayGeneration {
  /** The newest revision of all that lies below. */
  readonly baseRevision: Revision;
  readonly chains = new Map<BinaryKey, KeyChain>();
  readonly ordered = new OrderedMap<KeyChain>();
  /** In order of (modRevision, sub): the history. */
  readonly versions: OverlayVersion[] = [];
  /** Bucket to key to newest value; undefined is a deletion. */
  readonly meta = new Map<string, Map<BinaryKey, Uint8Array | undefined>>();
  /** Keys that were attached to a lease at some time in this generation; they may have left it since. */
  readonly leaseKeys = new Map<LeaseId, Set<BinaryKey>>();
  bytes = 0;

  constructor(baseRevision: Revision) {
    this.baseRevision = baseRevision;
  }

  addChain(key: BinaryKey, keyBytes: Uint8Array, livedBefore: boolean): KeyChain {
    const chain = new KeyChain(key, ownBytes(keyBytes), livedBefore);
    this.chains.set(key, chain);
    this.ordered.set(key, chain);
    return chain;
  }

  append(chain: KeyChain, revision: Revision, sub: number, content: VersionContent): OverlayVersion {
    const version = new OverlayVersion(chain, revision, sub, content);
    chain.newest = version;
    this.versions.push(version);
    this.bytes += chain.key.length + content.value.length + versionOverheadBytes;
    if (content.lease !== noLease) this.#noteLease(content.lease, chain.key);
    return version;
  }

  setMeta(change: MetaChange): void {
    let bucket = this.meta.get(change.bucket);
    if (bucket === undefined) {
      bucket = new Map();
      this.meta.set(change.bucket, bucket);
    }
    const before = bucket.get(change.key);
    if (!bucket.has(change.key)) this.bytes += change.key.length + metaOverheadBytes;
    this.bytes += (change.value?.length ?? 0) - (before?.length ?? 0);
    bucket.set(change.key, change.value);
  }

  /** Where the versions after `revision` begin in `versions`. */
  firstAfter(revision: Revision): number {
    const { versions } = this;
    let low = 0;
    let high = versions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (versions[middle]!.modRevision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** As the backend wants it. */
  handOver(at: {
    readonly appliedIndex: RaftIndex;
    readonly appliedTerm: Term;
    readonly revision: Revision;
    readonly compactRevision: Revision;
  }): Generation {
    const meta: MetaChange[] = [];
    for (const [bucket, rows] of this.meta) {
      for (const [key, value] of rows) meta.push({ bucket, key, value });
    }
    return { versions: this.versions, meta, ...at };
  }

  #noteLease(lease: LeaseId, key: BinaryKey): void {
    const keys = this.leaseKeys.get(lease);
    if (keys === undefined) this.leaseKeys.set(lease, new Set([key]));
    else keys.add(key);
  }
}

/** A live version as clients see it. */
export function toKeyValue(version: Version, keyBytes: Uint8Array): KeyValue {
  return {
    key: keyBytes,
    createRevision: version.createRevision,
    modRevision: version.modRevision,
    version: version.version,
    value: version.value,
    lease: version.lease,
  };
}

/** The bytes of a row's key; rows of the overlay have them, those of the backend do not. */
export function keyBytesOf(row: Version): Uint8Array {
  return row instanceof OverlayVersion ? row.keyBytes : fromBinaryKey(row.key);
}

/**
 * The key space at one revision. A view holds on to the layers as they were when it was made: later writes, seals and
 * drops do not change what it sees. (Compaction may, unless the revision is pinned: see read-pins.ts.)
 */
import type { BinaryKey, KeySpan, Version } from "../../backend/backend.ts";
import type { Revision } from "../../lib/ids.ts";
import type { OverlayGeneration } from "../overlay/generation.ts";
import type { Layers, ReadableBackend } from "../overlay/layers.ts";

export class ReadView {
  readonly revision: Revision;
  /** What to ask the backend for. Not simply `revision`: the sealed generation may appear in the backend at any
   * moment, and a read that mixes before and after would be wrong. It is also what a read over several steps has to
   * pin: a count relies on the backend's state at this revision even for keys that the overlay knows better. */
  readonly backendRevision: Revision;
  readonly active: OverlayGeneration;
  readonly sealed: OverlayGeneration | undefined;
  readonly backend: ReadableBackend;
  readonly #layers: Layers;

  /** `like` lends its layers to a view at another revision, not after its own. */
  constructor(layers: Layers, revision: Revision, like?: ReadView) {
    this.#layers = layers;
    this.revision = revision;
    this.active = like?.active ?? layers.active;
    this.sealed = like === undefined ? layers.sealed : like.sealed;
    this.backend = layers.backend;
    this.backendRevision = Math.min(revision, (this.sealed ?? this.active).baseRevision) as Revision;
  }

  /** The same key space at an earlier revision. */
  at(revision: Revision): ReadView {
    if (revision > this.revision) throw new Error("mvcc: a view cannot look ahead");
    return revision === this.revision ? this : new ReadView(this.#layers, revision, this);
  }

  /** Whether some version in the overlay may be visible. */
  get touchesOverlay(): boolean {
    return this.revision > this.backendRevision;
  }

  /** The newest visible version of a key, tombstones included. */
  versionAt(key: BinaryKey): Version | undefined {
    // What the store sees now is the same thing, and comes through its cache.
    if (this.#layers.revision === this.revision) return this.#layers.newest(key);
    if (this.touchesOverlay) {
      const version = this.overlayVersionAt(key);
      if (version !== undefined) return version;
    }
    return this.backend.versionAt(key, this.backendRevision);
  }

  overlayVersionAt(key: BinaryKey): Version | undefined {
    return this.active.chains.get(key)?.at(this.revision) ?? this.sealed?.chains.get(key)?.at(this.revision);
  }
}

const emptySpan: KeySpan = { from: "", to: "" };

/** A request's key and range_end as a span; a single key is the span up to its immediate successor. */
export function spanOf(key: BinaryKey, rangeEnd: BinaryKey): KeySpan {
  if (rangeEnd.length === 0) return { from: key, to: `${key}\0` };
  if (rangeEnd === "\0") return { from: key, to: undefined };
  return rangeEnd <= key ? emptySpan : { from: key, to: rangeEnd };
}

export function isEmpty(span: KeySpan): boolean {
  return span.to !== undefined && span.to <= span.from;
}

/**
 * The history in order, from wherever it lies: backend, sealed generation, active generation. A revision is never cut
 * in two, because watchers get whole revisions.
 */
import type { Version } from "../../backend/backend.ts";
import type { Revision } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import type { OverlayGeneration } from "../overlay/generation.ts";
import type { Layers } from "../overlay/layers.ts";
import type { ChangeSlice } from "../types.ts";

export interface ChangeLimits {
  readonly rows: number;
  readonly bytes: number;
}

/** Behind every change of a revision. */
const lastSub = Number.MAX_SAFE_INTEGER;

/** The changes after `after`, at least one whole revision of them if there is one. A slice does not reach over the
 * border between two layers, so a short one does not mean that the end was reached: `upTo` tells. */
export function* changesAfter(layers: Layers, after: Revision, limits: ChangeLimits): Steps<ChangeSlice> {
  if (after < layers.baseRevision) {
    const slice = yield* fromBackend(layers, after, limits);
    if (slice.versions.length > 0) return slice;
    after = slice.upTo;
  }
  const { sealed, active, revision } = layers;
  if (sealed !== undefined && after < active.baseRevision) {
    const slice = fromGeneration(sealed, after, active.baseRevision, limits);
    if (slice.versions.length > 0) return slice;
    after = slice.upTo;
  }
  return fromGeneration(active, after, revision, limits);
}

function fromGeneration(
  generation: OverlayGeneration,
  after: Revision,
  last: Revision,
  limits: ChangeLimits,
): ChangeSlice {
  const { versions } = generation;
  const start = generation.firstAfter(after);
  let end = start;
  let bytes = 0;
  let revision = after;
  // What lies beyond `last` belongs to a transaction that is still being written.
  while (end < versions.length && versions[end]!.modRevision <= last) {
    const version = versions[end]!;
    const full = end - start >= limits.rows || bytes >= limits.bytes;
    if (full && version.modRevision !== revision) {
      return { versions: versions.slice(start, end), upTo: (version.modRevision - 1) as Revision };
    }
    revision = version.modRevision;
    bytes += version.value.length;
    end++;
  }
  return { versions: versions.slice(start, end), upTo: last };
}

function* fromBackend(layers: Layers, after: Revision, limits: ChangeLimits): Steps<ChangeSlice> {
  const { backend, baseRevision } = layers;
  const versions: Version[] = [];
  let place = { revision: after, sub: lastSub };
  for (;;) {
    const page = backend.history(place, limits.rows, limits.bytes);
    // The generation on its way to the backend may be visible there already; it is read from the overlay.
    while (page.length > 0 && page[page.length - 1]!.modRevision > baseRevision) page.pop();
    if (page.length === 0) return { versions, upTo: baseRevision };
    for (const version of page) versions.push(version);
    const last = page[page.length - 1]!;
    place = { revision: last.modRevision, sub: last.sub };
    const [next] = backend.history(place, 1, 1);
    if (next === undefined || next.modRevision > baseRevision) return { versions, upTo: baseRevision };
    if (next.modRevision !== last.modRevision) return { versions, upTo: (next.modRevision - 1) as Revision };
    if (versions[0]!.modRevision !== last.modRevision) {
      while (versions[versions.length - 1]!.modRevision === last.modRevision) versions.pop();
      return { versions, upTo: (last.modRevision - 1) as Revision };
    }
    yield;
  }
}

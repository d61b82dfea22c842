/** How many keys of a span live at a view's revision. */
import type { KeySpan } from "../../backend/backend.ts";
import type { OrderedMap } from "../../lib/ordered-map.ts";
import type { Steps } from "../../lib/steps.ts";
import type { KeyChain } from "../overlay/generation.ts";
import type { ReadView } from "./read-view.ts";
import { isEmpty } from "./read-view.ts";

/** Rows that a backend counts, and keys of the overlay that are looked at, between two pauses. */
const backendRowsPerStep = 8192;
const overlayKeysPerStep = 1024;

/**
 * The backend counts its rows; the overlay then corrects the sum by the keys it knows better. A chain remembers
 * whether its key lived before the generation, so that no key has to be looked up in the backend.
 */
export function* countLive(view: ReadView, span: KeySpan): Steps<number> {
  if (isEmpty(span)) return 0;
  let total = 0;
  if (view.touchesOverlay) {
    if (view.sealed !== undefined) total += yield* correction(view, span, view.sealed.ordered);
    total += yield* correction(view, span, view.active.ordered);
  }
  let from: string | undefined = span.from;
  for (;;) {
    const part = view.backend.count({ from, to: span.to }, view.backendRevision, backendRowsPerStep);
    total += part.count;
    from = part.next;
    if (from === undefined) return total;
    yield;
  }
}

/** What the keys of one generation add to the count of the backend, or take from it. A key that is in both
 * generations is counted with the sealed one: that one knows whether the key lived in the backend. */
function* correction(view: ReadView, span: KeySpan, chains: OrderedMap<KeyChain>): Steps<number> {
  if (chains.size === 0) return 0;
  const isActive = chains === view.active.ordered;
  const cursor = chains.cursor();
  let sum = 0;
  let looked = 0;
  for (let found = cursor.seek(span.from); found; found = cursor.next()) {
    if (span.to !== undefined && cursor.key >= span.to) break;
    if (++looked % overlayKeysPerStep === 0) yield;
    if (isActive && view.sealed?.chains.has(cursor.key)) continue;
    const version = view.overlayVersionAt(cursor.key);
    if (version === undefined) continue;
    sum += (version.version === 0 ? 0 : 1) - (cursor.value.livedBefore ? 1 : 0);
  }
  return sum;
}

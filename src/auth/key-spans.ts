/** The keys that a user may read, or write: all its permissions merged, so that one search answers for a range. */
import { type KeyPermission, PermissionType } from "../codec/auth-row.ts";
import { toBinaryKey } from "../lib/binary-key.ts";

/** From `from` up to, but without, `to`; without a `to` it has no end. */
interface Span {
  readonly from: string;
  to: string | undefined;
}

export type Access = "read" | "write";

const noEnd = "\0";

/**
 * A sorted list of spans that do not touch. An interval tree that holds the permissions one by one would have to follow
 * neighbours to see that several of them together cover a range; here they are one span already, and it is built only
 * when users or roles have changed.
 */
export class KeySpans {
  readonly #spans: readonly Span[];

  constructor(permissions: Iterable<KeyPermission>, access: Access) {
    const spans: Span[] = [];
    for (const { type, key, rangeEnd } of permissions)
      if (allows(type, access)) spans.push(spanOf(key, rangeEnd));
    this.#spans = merged(spans);
  }

  /** Whether all keys of the range are in. An empty `rangeEnd` is the one key, a zero byte everything from `key` on. */
  covers(key: Uint8Array, rangeEnd: Uint8Array): boolean {
    const { from, to } = spanOf(key, rangeEnd);
    const span = this.#lastFrom(from);
    if (span === undefined) return false;
    if (span.to === undefined) return true;
    return from < span.to && to !== undefined && to <= span.to;
  }

  /** The last span that begins at `point` or before it. */
  #lastFrom(point: string): Span | undefined {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#spans[middle]!.from <= point) low = middle + 1;
      else high = middle;
    }
    return this.#spans[low - 1];
  }
}

function allows(type: number, access: Access): boolean {
  if (type === PermissionType.readWrite) return true;
  return type === (access === "read" ? PermissionType.read : PermissionType.write);
}

function spanOf(key: Uint8Array, rangeEnd: Uint8Array): Span {
  const from = toBinaryKey(key);
  // Nothing lies between a key and the same key with a zero byte behind it.
  if (rangeEnd.length === 0) return { from, to: `${from}\0` };
  const to = toBinaryKey(rangeEnd);
  return { from, to: to === noEnd ? undefined : to };
}

function merged(spans: Span[]): Span[] {
  const list: Span[] = [];
  spans.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  for (const span of spans) {
    if (span.to !== undefined && span.to <= span.from) continue;
    const last = list.at(-1);
    if (last === undefined || (last.to !== undefined && last.to < span.from)) list.push(span);
    else if (last.to !== undefined && (span.to === undefined || span.to > last.to)) last.to = span.to;
  }
  return list;
}

/** Whether a permission for this range makes sense: etcd refuses others. */
export function isValidPermissionRange(key: Uint8Array, rangeEnd: Uint8Array): boolean {
  if (key.length === 0) return false;
  const { from, to } = spanOf(key, rangeEnd);
  return to === undefined || from < to;
}

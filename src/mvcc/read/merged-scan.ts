/**
 * The live rows of a span in key order, overlay and backend merged. The scan goes on where it was however much was
 * written between two calls.
 */
import type { BinaryKey, KeySpan, Version } from "../../backend/backend.ts";
import type { Cursor, OrderedMap } from "../../lib/ordered-map.ts";
import type { KeyChain } from "../overlay/generation.ts";
import type { ReadView } from "./read-view.ts";

/** How many keys one call of `fill` looks at, at most: what fits between two looks at the clock. */
export const keysPerStep = 256;
/** What one read of the backend may bring and look at, and how many of them fit into a step. */
const backendReadBytes = 512 * 1024;
const backendVisits = 2048;
const readsPerStep = 2;

export interface MergedScanOptions {
  readonly descending?: boolean;
  /** Values are not needed (rows of the overlay have theirs all the same). */
  readonly keysOnly?: boolean;
  /** How many rows will be wanted, as far as is known. */
  readonly expectedRows?: number;
}

export class MergedScan {
  /** No rows are left. */
  done = false;
  readonly #view: ReadView;
  readonly #descending: boolean;
  readonly #keysOnly: boolean;
  readonly #span: KeySpan;
  /** What of the span the backend has not been asked for. */
  #rest: KeySpan | undefined;
  #active: Cursor<KeyChain> | undefined;
  #sealed: Cursor<KeyChain> | undefined;
  #rows: Version[] = [];
  #nextRow = 0;
  readonly #readRows: number;

  constructor(view: ReadView, span: KeySpan, options: MergedScanOptions = {}) {
    this.#view = view;
    this.#descending = options.descending ?? false;
    this.#keysOnly = options.keysOnly ?? false;
    this.#readRows = Math.max(1, Math.min(options.expectedRows ?? keysPerStep, keysPerStep));
    this.#span = span;
    this.#rest = span;
    if (view.touchesOverlay) {
      this.#active = this.#start(view.active.ordered);
      if (view.sealed !== undefined) this.#sealed = this.#start(view.sealed.ordered);
    }
  }

  /** Adds rows to `into` until it holds `maxRows`, the span is exhausted, or enough keys were looked at for one step. */
  fill(into: Version[], maxRows: number): void {
    const { revision } = this.#view;
    let reads = 0;
    for (let looked = 0; looked < keysPerStep && into.length < maxRows; looked++) {
      const row = this.#rows[this.#nextRow];
      if (row === undefined && this.#rest !== undefined) {
        if (reads++ === readsPerStep) return;
        this.#readBackend(this.#rest);
        continue;
      }
      const key = this.#nearest(row?.key);
      if (key === undefined) {
        this.done = true;
        return;
      }
      let version: Version | undefined;
      if (this.#active?.key === key) {
        version = this.#active.value.at(revision);
        this.#active = this.#advance(this.#active);
      }
      if (this.#sealed?.key === key) {
        version ??= this.#sealed.value.at(revision);
        this.#sealed = this.#advance(this.#sealed);
      }
      if (row !== undefined && row.key === key) {
        version ??= row;
        this.#nextRow++;
      }
      if (version !== undefined && version.version !== 0) into.push(version);
    }
  }

  /** The key that comes first of the three heads. */
  #nearest(row: BinaryKey | undefined): BinaryKey | undefined {
    let key = row;
    const active = this.#active?.key;
    if (active !== undefined && this.#comesBefore(active, key)) key = active;
    const sealed = this.#sealed?.key;
    if (sealed !== undefined && this.#comesBefore(sealed, key)) key = sealed;
    return key;
  }

  #comesBefore(key: BinaryKey, other: BinaryKey | undefined): boolean {
    if (other === undefined) return true;
    return this.#descending ? key > other : key < other;
  }

  #readBackend(span: KeySpan): void {
    const { backend, backendRevision } = this.#view;
    const part = backend.scanPart(span, {
      atRevision: backendRevision,
      limit: this.#readRows,
      bytes: backendReadBytes,
      visits: backendVisits,
      descending: this.#descending,
      keysOnly: this.#keysOnly,
    });
    this.#rows = part.rows;
    this.#nextRow = 0;
    this.#rest = part.rest;
  }

  #start(map: OrderedMap<KeyChain>): Cursor<KeyChain> | undefined {
    if (map.size === 0) return undefined;
    const cursor = map.cursor();
    let found: boolean;
    if (!this.#descending) found = cursor.seek(this.#span.from);
    else found = this.#span.to === undefined ? cursor.seekLast() : cursor.seekBelow(this.#span.to);
    return found && this.#inside(cursor.key) ? cursor : undefined;
  }

  #advance(cursor: Cursor<KeyChain>): Cursor<KeyChain> | undefined {
    const found = this.#descending ? cursor.previous() : cursor.next();
    return found && this.#inside(cursor.key) ? cursor : undefined;
  }

  #inside(key: BinaryKey): boolean {
    const { from, to } = this.#span;
    return this.#descending ? key >= from : to === undefined || key < to;
  }
}

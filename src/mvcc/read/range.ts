/**
 * Range, with all its options, at one view. The order of things is etcd's: rows of the span at the revision, filters,
 * sort, limit; `count` is the number of keys in the span whatever the filters and the limit say.
 */
import type { KeySpan, Version } from "../../backend/backend.ts";
import type { KeyValue, RangeRequest } from "../../codec/kv.ts";
import { SortOrder, SortTarget } from "../../codec/kv.ts";
import { errors } from "../../errors/table.ts";
import { toBinaryKey } from "../../lib/binary-key.ts";
import type { LeaseId, Revision } from "../../lib/ids.ts";
import { noLease } from "../../lib/ids.ts";
import type { Steps } from "../../lib/steps.ts";
import { keyBytesOf } from "../overlay/generation.ts";
import { countLive } from "./count.ts";
import { MergedScan } from "./merged-scan.ts";
import type { ReadView } from "./read-view.ts";
import { isEmpty, spanOf } from "./read-view.ts";
import { rowOrder, sortRows } from "./sort-rows.ts";

/** Told of the bytes of rows as they are read and kept. */
export type Meter = (bytes: number) => void;

/** What a row takes in memory beside key and value, about. */
const rowOverheadBytes = 32;

export interface RangeRows {
  readonly rows: readonly Version[];
  readonly count: number;
  readonly more: boolean;
}

/** The revision that a request asks for. Throws ErrFutureRev or ErrCompacted. */
export function readRevision(requested: number, current: Revision, compacted: Revision): Revision {
  if (requested > current) throw errors.futureRev();
  const revision = (requested <= 0 ? current : requested) as Revision;
  if (revision < compacted) throw errors.compacted();
  return revision;
}

export function isSingleKey(request: RangeRequest): boolean {
  return request.rangeEnd.length === 0;
}

export function hasRevisionFilters(request: RangeRequest): boolean {
  return (
    request.minModRevision !== 0 ||
    request.maxModRevision !== 0 ||
    request.minCreateRevision !== 0 ||
    request.maxCreateRevision !== 0
  );
}

/** Whether rows come out in the order they are found, so that they can be given out while they are read. */
export function isKeyOrdered(request: RangeRequest): boolean {
  return request.sortTarget === SortTarget.key;
}

export function passesFilters(request: RangeRequest, row: Version): boolean {
  if (request.maxModRevision !== 0 && row.modRevision > request.maxModRevision) return false;
  if (request.minModRevision !== 0 && row.modRevision < request.minModRevision) return false;
  if (request.maxCreateRevision !== 0 && row.createRevision > request.maxCreateRevision) return false;
  return request.minCreateRevision === 0 || row.createRevision >= request.minCreateRevision;
}

const noBytes = new Uint8Array(0);

/**
 * A row as the client gets it. With keys_only etcd 3.7 answers from its index, which knows no leases, except when it
 * sorts by value and so has to read the rows: then the lease is there.
 */
export function toRangeKeyValue(request: RangeRequest, row: Version): KeyValue {
  const key = keyBytesOf(row);
  const { keysOnly } = request;
  const lease: LeaseId = keysOnly && request.sortTarget !== SortTarget.value ? noLease : row.lease;
  return {
    key,
    createRevision: row.createRevision,
    modRevision: row.modRevision,
    version: row.version,
    value: keysOnly ? noBytes : row.value,
    lease,
  };
}

/** All of them, pausing now and then. */
export function* toKeyValues(request: RangeRequest, rows: readonly Version[]): Steps<KeyValue[]> {
  const kvs: KeyValue[] = [];
  for (const row of rows) {
    kvs.push(toRangeKeyValue(request, row));
    if (kvs.length % 1024 === 0) yield;
  }
  return kvs;
}

export function spanOfRequest(request: RangeRequest): KeySpan {
  return spanOf(toBinaryKey(request.key), toBinaryKey(request.rangeEnd));
}

/** The rows and sums of a request at `view`, whose revision was chosen with `readRevision`. */
export function* rangeRows(view: ReadView, request: RangeRequest, meter?: Meter): Steps<RangeRows> {
  if (isSingleKey(request)) return oneKey(view, request);
  const span = spanOfRequest(request);
  if (request.countOnly) return { rows: [], count: yield* countLive(view, span), more: false };
  if (isEmpty(span)) return { rows: [], count: 0, more: false };
  if (isKeyOrdered(request)) return yield* inKeyOrder(view, request, span, meter);
  return yield* inOtherOrder(view, request, span, meter);
}

function oneKey(view: ReadView, request: RangeRequest): RangeRows {
  const version = view.versionAt(toBinaryKey(request.key));
  if (version === undefined || version.version === 0) return { rows: [], count: 0, more: false };
  const wanted = !request.countOnly && passesFilters(request, version);
  return { rows: wanted ? [version] : [], count: 1, more: false };
}

/** Reads up to one row more than the limit, to know whether there are more. */
function* inKeyOrder(
  view: ReadView,
  request: RangeRequest,
  span: KeySpan,
  meter: Meter | undefined,
): Steps<RangeRows> {
  const wanted = request.limit > 0 ? request.limit + 1 : Number.POSITIVE_INFINITY;
  const collector = new Collector(view, span, request, {
    descending: request.sortOrder === SortOrder.descend,
    keysOnly: request.keysOnly,
    meter,
    ...expectedRows(request),
  });
  yield* collector.collect(wanted);
  const count = yield* collector.countAll();
  return cut(request, collector.rows, count);
}

/**
 * Sorted by something else. A limit without a sort order cuts before the sort and not after it: etcd takes that for
 * the default order when it reads, and sorts all the same.
 */
function* inOtherOrder(
  view: ReadView,
  request: RangeRequest,
  span: KeySpan,
  meter: Meter | undefined,
): Steps<RangeRows> {
  const cutFirst = request.sortOrder === SortOrder.none && request.limit > 0 && !hasRevisionFilters(request);
  const byValue = request.sortTarget === SortTarget.value;
  // With a limit most rows are dropped after the sort: leave their values where they are until then.
  const valuesLater = request.limit > 0 && !request.keysOnly && !byValue && !cutFirst;
  const collector = new Collector(view, span, request, {
    descending: false,
    keysOnly: valuesLater || (request.keysOnly && !byValue),
    meter,
    ...(cutFirst ? expectedRows(request) : {}),
  });
  yield* collector.collect(cutFirst ? request.limit + 1 : Number.POSITIVE_INFINITY);
  const count = yield* collector.countAll();
  const order = rowOrder(request.sortTarget, request.sortOrder === SortOrder.descend);
  const result = cut(request, yield* sortRows(collector.rows, order), count);
  if (!valuesLater) return result;
  const rows: Version[] = [];
  for (const row of result.rows) {
    const whole = view.versionAt(row.key) ?? row;
    meter?.(whole.value.length);
    rows.push(whole);
    if (rows.length % 64 === 0) yield;
  }
  return { ...result, rows };
}

function cut(request: RangeRequest, rows: Version[], count: number): RangeRows {
  const more = request.limit > 0 && rows.length > request.limit;
  if (more) rows.length = request.limit;
  return { rows, count, more };
}

/** How many rows a read in key order will need, if that is known. */
export function expectedRows(request: RangeRequest): { readonly expectedRows?: number } {
  return request.limit > 0 && !hasRevisionFilters(request) ? { expectedRows: request.limit + 1 } : {};
}

function sizeOfRows(rows: readonly Version[]): number {
  let bytes = 0;
  for (const { key, value } of rows) bytes += key.length + value.length + rowOverheadBytes;
  return bytes;
}

/** Goes over a span, keeping the rows that pass the filters, and knows where it stopped. */
export class Collector {
  rows: Version[] = [];
  readonly #view: ReadView;
  readonly #span: KeySpan;
  readonly #request: RangeRequest;
  readonly #descending: boolean;
  readonly #filters: boolean;
  readonly #scan: MergedScan;
  readonly #meter: Meter | undefined;
  /** Rows met, whether they passed or not. */
  #met = 0;
  #last: string | undefined;

  constructor(
    view: ReadView,
    span: KeySpan,
    request: RangeRequest,
    options: {
      readonly descending: boolean;
      readonly keysOnly: boolean;
      readonly expectedRows?: number;
      readonly meter?: Meter | undefined;
    },
  ) {
    this.#meter = options.meter;
    this.#view = view;
    this.#span = span;
    this.#request = request;
    this.#descending = options.descending;
    this.#filters = hasRevisionFilters(request);
    this.#scan = new MergedScan(view, span, options);
  }

  get done(): boolean {
    return this.#scan.done;
  }

  /** One step: adds rows until there are `wanted`, or enough was done for now. */
  step(wanted: number): void {
    const found: Version[] = [];
    this.#scan.fill(found, wanted - this.rows.length);
    const request = this.#request;
    for (const row of found) {
      if (!this.#filters || passesFilters(request, row)) this.rows.push(row);
    }
    if (this.#meter) this.#meter(sizeOfRows(found));
    this.#met += found.length;
    if (found.length > 0) this.#last = found[found.length - 1]!.key;
  }

  *collect(wanted: number): Steps<void> {
    for (;;) {
      this.step(wanted);
      if (this.#scan.done || this.rows.length >= wanted) return;
      yield;
    }
  }

  /** All keys of the span: those met, and those after the place where the collecting stopped. */
  *countAll(): Steps<number> {
    if (this.#scan.done) return this.#met;
    const last = this.#last;
    if (last === undefined) return yield* countLive(this.#view, this.#span);
    const { from, to } = this.#span;
    const rest = this.#descending ? { from, to: last } : { from: `${last}\0`, to };
    return this.#met + (yield* countLive(this.#view, rest));
  }
}

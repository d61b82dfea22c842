/** A range given out while it is read, for RangeStream and for answers too large to be one array. */
import type { KeyValue, RangeRequest } from "../../codec/kv.ts";
import { SortOrder } from "../../codec/kv.ts";
import type { Revision } from "../../lib/ids.ts";
import {
  Collector,
  expectedRows,
  isKeyOrdered,
  isSingleKey,
  type Meter,
  rangeRows,
  spanOfRequest,
  toRangeKeyValue,
} from "./range.ts";
import type { ReadView } from "./read-view.ts";
import { isEmpty } from "./read-view.ts";

export interface BatchLimits {
  readonly rows: number;
  readonly bytes: number;
}

interface Sums {
  readonly count: number;
  readonly more: boolean;
}

/** A batch, or undefined for a pause; at the end the sums. */
export type Batches = Generator<KeyValue[] | undefined, Sums, undefined>;
export type RangeBatches = Generator<KeyValue[] | undefined, Sums & { revision: Revision }, undefined>;

/** What a key-value pair takes in a message beside key and value, about. */
const kvOverheadBytes = 32;

/** `meter` is told of rows that are kept until all are there, as sorting needs it. */
export function* rangeInBatches(
  view: ReadView,
  request: RangeRequest,
  limits: BatchLimits,
  meter?: Meter,
): Batches {
  const streams = isKeyOrdered(request) && !request.countOnly && !isSingleKey(request);
  if (streams && !isEmpty(spanOfRequest(request))) return yield* whileReading(view, request, limits);
  const found = yield* rangeRows(view, request, meter);
  const batch = new Batch(limits);
  for (const row of found.rows) {
    if (batch.add(toRangeKeyValue(request, row))) yield batch.take();
  }
  if (batch.size > 0) yield batch.take();
  return { count: found.count, more: found.more };
}

function* whileReading(view: ReadView, request: RangeRequest, limits: BatchLimits): Batches {
  const collector = new Collector(view, spanOfRequest(request), request, {
    descending: request.sortOrder === SortOrder.descend,
    keysOnly: request.keysOnly,
    ...expectedRows(request),
  });
  let left = request.limit > 0 ? request.limit : Number.POSITIVE_INFINITY;
  let more = false;
  const batch = new Batch(limits);
  while (!collector.done && !more) {
    // One row more than may be given out, to know whether there are more.
    collector.step(left + 1);
    for (const row of collector.rows) {
      if (left === 0) {
        more = true;
        break;
      }
      left--;
      if (batch.add(toRangeKeyValue(request, row))) yield batch.take();
    }
    collector.rows = [];
    yield undefined;
  }
  if (batch.size > 0) yield batch.take();
  return { count: yield* collector.countAll(), more };
}

/** Gathers pairs until one of the limits is reached. */
class Batch {
  readonly #limits: BatchLimits;
  #kvs: KeyValue[] = [];
  #bytes = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#kvs.length;
  }

  /** True when the batch is full. */
  add(kv: KeyValue): boolean {
    this.#kvs.push(kv);
    this.#bytes += kv.key.length + kv.value.length + kvOverheadBytes;
    return this.#kvs.length >= this.#limits.rows || this.#bytes >= this.#limits.bytes;
  }

  take(): KeyValue[] {
    const kvs = this.#kvs;
    this.#kvs = [];
    this.#bytes = 0;
    return kvs;
  }
}

/**
 * The line "trace" of etcd's log: where the time went of a request that took longer than 100 ms from its coming to its
 * answer, waiting for a quorum included. (The line "apply request took too long" is about reading and applying alone.)
 *
 * When everything is slow there is such a line for every request, so they are thinned out as etcd's logger does it: a
 * hundred in a second, and of those behind them every hundredth.
 */
import type { PutRequest, RangeRequest, TxnResponse } from "../codec/kv.ts";
import { raftField } from "../codec/raft-internal.ts";
import type { Clock } from "../lib/clock.ts";
import { formatGoDuration } from "../lib/go-duration.ts";
import type { Logger } from "../lib/logger.ts";
import type { Proposal } from "./proposal.ts";

/** etcd's own, which no flag changes. */
export const traceAfterMs = 100;

const linesPerSecond = 100;
const oneOf = 100;
/** Of a key no more is shown. */
const keyBytesMax = 1024;

/** Something that was done until `endMs`, since the step before it. */
export interface TraceStep {
  readonly what: string;
  readonly endMs: number;
}

/** A request that came at `startMs` and was answered at `endMs`, on the monotonic clock. */
export interface TracedRequest {
  readonly operation: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  readonly steps: readonly TraceStep[];
}

export interface SlowTracesOptions {
  readonly logger: Logger;
  readonly clock: Pick<Clock, "wallMs">;
  /** The store's newest revision. */
  readonly revision: () => number;
}

export class SlowTraces {
  readonly #options: SlowTracesOptions;
  #lastId = 0;
  #second = 0;
  #linesInSecond = 0;

  constructor(options: SlowTracesOptions) {
    this.#options = { ...options, logger: options.logger.at("server/slow-traces.ts") };
  }

  /** A range that began to read at `readMs`. */
  range(request: RangeRequest, at: { startMs: number; readMs: number; endMs: number }, rows: number): void {
    const { key, rangeEnd, serializable } = request;
    const { startMs, readMs, endMs } = at;
    this.write({
      operation: "range",
      startMs,
      endMs,
      fields: {
        range_begin: textOf(key),
        range_end: textOf(rangeEnd),
        response_count: rows,
        response_revision: this.#options.revision(),
      },
      steps: [
        ...(serializable ? [] : [{ what: agreement, endMs: readMs }]),
        { what: "range keys from the store", endMs },
      ],
    });
  }

  /** A transaction that only reads. */
  readTxn(response: TxnResponse, startMs: number, endMs: number): void {
    const { responses, revision } = response;
    this.write({
      operation: "transaction",
      startMs,
      endMs,
      fields: { read_only: true, number_of_response: responses.length, response_revision: revision },
      steps: [{ what: "range keys from the store", endMs }],
    });
  }

  /** A put, or a transaction that writes, which went through the log. */
  proposal({ field, request, requestBytes, startMs }: Proposal, endMs: number): void {
    const isPut = field === raftField.put;
    if (!isPut && field !== raftField.txn) return;
    const asked = isPut ? { key: textOf((request as PutRequest).key), req_size: requestBytes } : notReadOnly;
    this.write({
      operation: isPut ? "put" : "transaction",
      startMs,
      endMs,
      fields: { ...asked, response_revision: this.#options.revision() },
      steps: [{ what: "process raft request", endMs }],
    });
  }

  /** A compaction that was decided at `appliedMs`; if its end was waited for, what was compacted is gone at `endMs`. */
  compaction(revision: number, at: { startMs: number; appliedMs: number; endMs: number }): void {
    const { startMs, appliedMs, endMs } = at;
    if (endMs - startMs <= traceAfterMs) return;
    this.write({
      operation: "compact",
      startMs,
      endMs,
      fields: { revision, response_revision: this.#options.revision() },
      steps: [
        { what: "process raft request", endMs: appliedMs },
        ...(endMs > appliedMs ? [{ what: "physically apply compaction", endMs }] : []),
      ],
    });
  }

  write({ operation, startMs, endMs, fields, steps }: TracedRequest): void {
    const { logger, clock } = this.#options;
    const wallMs = clock.wallMs();
    if (!logger.enabled("info") || !this.#mayWrite(wallMs)) return;
    this.#lastId = (this.#lastId + 1) % 2 ** 31;
    const tookMs = endMs - startMs;
    const shown = longSteps(steps, startMs, traceAfterMs / (steps.length + 1));
    logger.info("trace", {
      trace_id: this.#lastId,
      operation,
      detail: detailOf(fields),
      duration: formatGoDuration(tookMs),
      start: timeText(wallMs - tookMs),
      end: timeText(wallMs),
      steps: shown,
      step_count: shown.length,
    });
  }

  #mayWrite(wallMs: number): boolean {
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#linesInSecond = 0;
    }
    const count = ++this.#linesInSecond;
    return count <= linesPerSecond || (count - linesPerSecond) % oneOf === 0;
  }
}

const agreement = "agreement among raft nodes before linearized reading";
const notReadOnly = { read_only: false };

function longSteps(steps: readonly TraceStep[], startMs: number, thresholdMs: number): string[] {
  const shown: string[] = [];
  let sinceMs = startMs;
  for (const { what, endMs } of steps) {
    const tookMs = endMs - sinceMs;
    sinceMs = endMs;
    if (tookMs > thresholdMs) shown.push(`'${what}'  (duration: ${formatGoDuration(tookMs)})`);
  }
  return shown;
}

function detailOf(fields: TracedRequest["fields"]): string {
  const shown = Object.entries(fields).map(([name, value]) => `${name}:${value}; `);
  return `{${shown.join("")}}`;
}

const decoder = new TextDecoder();
const textOf = (key: Uint8Array): string => decoder.decode(key.subarray(0, keyBytesMax));

/** With microseconds, as all times of the log. */
function timeText(wallMs: number): string {
  const micros = Math.floor((wallMs % 1) * 1000);
  return new Date(wallMs).toISOString().replace("Z", `${String(micros).padStart(3, "0")}Z`);
}

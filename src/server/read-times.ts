/** How long reads took that did not go through the log: for metrics, and for the log when it was long. */

import type { RangeRequest, TxnRequest, TxnResponse } from "../codec/kv.ts";
import { raftField } from "../codec/raft-internal.ts";
import { rangeText, txnText } from "../codec/request-text.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import { formatGoDuration } from "../lib/go-duration.ts";
import type { Logger } from "../lib/logger.ts";
import type { Counter, Histogram } from "../lib/metrics.ts";
import type { TurnClock } from "../lib/turn-clock.ts";
import type { ServerMetrics } from "./server-metrics.ts";
import { type SlowTraces, traceAfterMs } from "./slow-traces.ts";

export interface ReadTimesOptions {
  readonly turnClock: TurnClock;
  readonly metrics: ServerMetrics;
  readonly logger: Logger;
  /** `--warning-apply-duration`, in milliseconds. */
  readonly warnAfterMs: number;
  readonly slowTraces: Pick<SlowTraces, "range" | "readTxn">;
}

/** What was read, for the log. */
export interface RangeSize {
  readonly rows: number;
  readonly bytes: number;
}

export class ReadTimes {
  readonly #options: ReadTimesOptions;
  readonly #ok: Histogram;
  readonly #failed: Histogram;
  readonly #ranges: Counter;
  readonly #rangesOk: Histogram;
  /** What takes longer is told in the log, in one way or another. */
  readonly #tellAfterMs: number;

  constructor(options: ReadTimesOptions) {
    this.#options = options;
    const { requestSeconds, ranges, rangeSeconds } = options.metrics;
    this.#ranges = ranges;
    this.#rangesOk = rangeSeconds.ok;
    this.#tellAfterMs = Math.min(options.warnAfterMs, traceAfterMs);
    this.#ok = requestSeconds.of(raftField.range, true);
    this.#failed = requestSeconds.of(raftField.range, false);
  }

  now(): number {
    return this.#options.turnClock.now();
  }

  /** A get of one key that came at `startMs` and began to read at `readMs`: the same as `range`, for what is done most. */
  get(request: RangeRequest, startMs: number, readMs: number, rows: number, bytes: number): void {
    const nowMs = this.now();
    if (nowMs - startMs > this.#tellAfterMs) {
      this.range(request, startMs, readMs, { rows, bytes });
      return;
    }
    this.#ok.observe((nowMs - startMs) / 1000);
    this.#ranges.inc();
    this.#rangesOk.observe((nowMs - readMs) / 1000);
  }

  /** A range that came at `startMs`, and began to read at `readMs`; undefined if it did not get that far. */
  range(
    request: RangeRequest,
    startMs: number,
    readMs: number | undefined,
    outcome: RangeSize | EtcdError,
  ): void {
    const { metrics, warnAfterMs } = this.#options;
    const nowMs = this.now();
    const ok = "rows" in outcome;
    (ok ? this.#ok : this.#failed).observe((nowMs - startMs) / 1000);
    if (readMs !== undefined) {
      metrics.ranges.inc();
      const { rangeSeconds } = metrics;
      (ok ? rangeSeconds.ok : rangeSeconds.failed).observe((nowMs - readMs) / 1000);
    }
    if (ok && readMs !== undefined && nowMs - startMs > traceAfterMs) {
      this.#options.slowTraces.range(request, { startMs, readMs, endMs: nowMs }, outcome.rows);
    }
    if (nowMs - startMs <= warnAfterMs) return;
    const response = ok ? `range_response_count:${outcome.rows} size:${outcome.bytes}` : "";
    this.#warn("read-only range ", rangeText(request), nowMs - startMs, response, ok ? undefined : outcome);
  }

  /** A transaction that only reads, and came at `startMs`. */
  txn(request: TxnRequest, startMs: number, outcome: TxnResponse | EtcdError): void {
    const { metrics, warnAfterMs } = this.#options;
    const nowMs = this.now();
    const tookMs = nowMs - startMs;
    const ok = "succeeded" in outcome;
    const { readOnlyTxnSeconds } = metrics;
    (ok ? readOnlyTxnSeconds.ok : readOnlyTxnSeconds.failed).observe(tookMs / 1000);
    if (ok) metrics.countTxn(request, outcome);
    if (ok && tookMs > traceAfterMs) this.#options.slowTraces.readTxn(outcome, startMs, nowMs);
    if (tookMs <= warnAfterMs) return;
    const counts = ok
      ? outcome.responses.map((op) =>
          op.kind === "range" ? `range_response_count:${op.range.kvs.length}` : "",
        )
      : [];
    const response = ok ? `responses:<${counts.join(" ")}>` : "";
    this.#warn("read-only txn ", txnText(request), tookMs, response, ok ? undefined : outcome);
  }

  #warn(
    prefix: string,
    request: string,
    tookMs: number,
    response: string,
    error: EtcdError | undefined,
  ): void {
    const { metrics, logger, warnAfterMs } = this.#options;
    metrics.slowApplies.inc();
    logger.warn("apply request took too long", {
      took: formatGoDuration(tookMs),
      "expected-duration": formatGoDuration(warnAfterMs),
      prefix,
      request,
      response,
      ...(error ? { error: error.message } : {}),
    });
  }
}

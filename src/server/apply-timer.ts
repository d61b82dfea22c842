/**
 * Times applies. Thousands of short ones share two looks at the clock, so each of those counts with their mean; one that
 * takes several turns is timed by itself. What takes longer than `--warning-apply-duration` is logged.
 */
import { requestText } from "../codec/request-text.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import { formatGoDuration } from "../lib/go-duration.ts";
import type { Logger } from "../lib/logger.ts";
import type { ServerMetrics } from "./server-metrics.ts";

/** Applies that share two looks at the clock: together they take less than this, for what is longer is divided. */
const entriesPerLook = 32;
const exactBelowMs = 20;

export interface Applied {
  readonly field: number;
  readonly request: unknown;
  readonly error: EtcdError | undefined;
}

export interface ApplyTimerOptions {
  readonly metrics: Pick<ServerMetrics, "applySeconds" | "slowApplies">;
  readonly logger: Logger;
  /** `--warning-apply-duration`, in milliseconds. */
  readonly warnAfterMs: number;
}

export class ApplyTimer {
  readonly #options: ApplyTimerOptions;
  #sinceMs = 0;
  #applied: Applied[] = [];

  constructor(options: ApplyTimerOptions) {
    this.#options = { ...options, logger: options.logger.at("server/apply-timer.ts") };
  }

  /** A short limit is about single applies, and a mean says nothing of those. */
  get entriesPerLook(): number {
    return this.#options.warnAfterMs < exactBelowMs ? 1 : entriesPerLook;
  }

  /** An apply, or a row of them, begins. */
  begin(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  /** One has ended. */
  add(field: number, request: unknown, error: EtcdError | undefined): void {
    this.#applied.push({ field, request, error });
  }

  /** Takes the time of what was added since the last look. */
  look(nowMs: number): void {
    const count = this.#applied.length;
    if (count === 0) return;
    const tookMs = nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    const { metrics, warnAfterMs } = this.#options;
    const seconds = tookMs / count / 1000;
    for (const { field, error } of this.#applied) {
      metrics.applySeconds.of(field, error === undefined).observe(seconds);
    }
    if (tookMs > warnAfterMs) for (const one of this.#applied) this.#warn(one, tookMs);
    this.#applied = [];
  }

  #warn({ field, request, error }: Applied, tookMs: number): void {
    const { metrics, logger, warnAfterMs } = this.#options;
    metrics.slowApplies.inc();
    logger.warn("apply request took too long", {
      took: formatGoDuration(tookMs),
      "expected-duration": formatGoDuration(warnAfterMs),
      prefix: "",
      request: requestText(field, request),
      response: "",
      ...(error ? { error: error.message } : {}),
    });
  }
}

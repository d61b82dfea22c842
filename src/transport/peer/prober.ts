/** Measures the round trip to one member, and how far its clock is from ours. */
import type { Clock, Timer } from "../../lib/clock.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import { formatId } from "../../membership/member.ts";
import type { HttpClient } from "./http1/client.ts";
import type { PeerLimits } from "./limits.ts";
import type { PeerSeries } from "./peer-metrics.ts";
import type { UrlPicker } from "./url-picker.ts";

export const probingPath = "/raft/probing";
/** etcd's name for what carries messages, in its log lines. */
const roundTripper = "ROUND_TRIPPER_RAFT_MESSAGE";
/** How often what is measured is told while all is well. */
const reportIntervalMs = 30_000;
const driftMaxMs = 1_000;
/** The newest measurement's part in the average. */
const newestPart = 0.125;

export interface ProberOptions {
  readonly peerId: MemberId;
  readonly picker: UrlPicker;
  readonly series: PeerSeries;
  readonly client: HttpClient;
  readonly limits: PeerLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Prober {
  readonly #options: ProberOptions;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #averageMs = 0;
  #driftMs = 0;
  /** Why the last probe failed, if it did. */
  #error: string | undefined;
  #nextReportMs: number;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#logger = options.logger.at("transport/peer/prober.ts");
    this.#nextReportMs = options.clock.monotonicMs() + options.limits.probeReportMs;
    this.#probeLater();
  }

  stop(): void {
    this.#stopping.abort();
    this.#timer?.cancel();
  }

  #probeLater(): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = this.#options.clock.after(this.#options.limits.probeIntervalMs, () => {
      void this.#probe().then(() => {
        this.#report();
        this.#probeLater();
      });
    });
  }

  async #probe(): Promise<void> {
    const { client, picker, clock, limits } = this.#options;
    // A failed probe says nothing about the streams, so it does not move the picker.
    const startedMs = clock.monotonicMs();
    try {
      const response = await client.request(
        picker.pick(),
        { method: "GET", path: probingPath, headers: {} },
        {
          timeoutMs: limits.probeIntervalMs,
          maxBodyBytes: limits.smallBodyBytes,
          signal: this.#stopping.signal,
        },
      );
      if (response.status !== 200) throw new Error(`got unexpected HTTP status code ${response.status}`);
      const remoteWallMs = readHealth(new TextDecoder().decode(response.body));
      const tripMs = clock.monotonicMs() - startedMs;
      const lastMs = this.#averageMs === 0 ? tripMs : this.#averageMs;
      this.#averageMs = (1 - newestPart) * lastMs + newestPart * tripMs;
      this.#driftMs = clock.wallMs() - remoteWallMs - this.#averageMs / 2;
      this.#error = undefined;
    } catch (error) {
      this.#error = (error as Error).message;
    }
  }

  #report(): void {
    const { clock, series, peerId, limits } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#stopping.signal.aborted || nowMs < this.#nextReportMs) return;
    const fields = {
      "round-tripper-name": roundTripper,
      "remote-peer-id": formatId(peerId),
      rtt: `${this.#averageMs.toFixed(3)}ms`,
    };
    if (this.#error !== undefined) {
      this.#logger.warn("prober detected unhealthy status", { ...fields, error: this.#error });
    }
    if (Math.abs(this.#driftMs) > driftMaxMs) {
      const drift = { "clock-drift": `${this.#driftMs.toFixed(3)}ms` };
      this.#logger.warn("prober found high clock drift", { ...fields, ...drift });
    }
    series.roundTripSeconds.observe(this.#averageMs / 1000);
    this.#nextReportMs = nowMs + (this.#error === undefined ? reportIntervalMs : limits.probeReportMs);
  }
}

/** The other member's time, in milliseconds since 1970. */
function readHealth(text: string): number {
  const health: unknown = JSON.parse(text);
  if (typeof health !== "object" || health === null) throw new Error("malformed answer to a probe");
  const { OK, Now } = health as { OK?: unknown; Now?: unknown };
  if (OK !== true || typeof Now !== "string") throw new Error("malformed answer to a probe");
  // Go writes nanoseconds; JavaScript reads milliseconds.
  const wallMs = Date.parse(Now.replace(/(\.\d{3})\d+/, "$1"));
  if (Number.isNaN(wallMs)) throw new Error("malformed answer to a probe");
  return wallMs;
}

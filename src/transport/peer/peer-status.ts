/** Whether a member is reached: the last thing that worked or failed, on any connection to it, decides. */
import type { Clock } from "../../lib/clock.ts";
import type { MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import { formatId } from "../../membership/member.ts";
import type { PeerSeries } from "./peer-metrics.ts";

/** What failed: on which of the ways to a member, doing what. */
export interface Failure {
  readonly source: string;
  readonly action: string;
}

export class PeerStatus {
  readonly #id: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #series: PeerSeries;
  #sinceMs: number | undefined;

  constructor(id: MemberId, clock: Clock, logger: Logger, series: PeerSeries) {
    this.#id = formatId(id);
    this.#clock = clock;
    this.#logger = logger.at("transport/peer/peer-status.ts");
    this.#series = series;
  }

  get isActive(): boolean {
    return this.#sinceMs !== undefined;
  }

  /** When it became active, on the clock's monotonic scale; undefined while it is not. */
  get activeSinceMs(): number | undefined {
    return this.#sinceMs;
  }

  activate(): void {
    if (this.isActive) return;
    this.#logger.info("peer became active", { "peer-id": this.#id });
    this.#sinceMs = this.#clock.monotonicMs();
    this.#series.active.inc();
  }

  deactivate({ source, action }: Failure, reason: string): void {
    const error = `failed to ${action} ${this.#id} on ${source} (${reason})`;
    if (!this.isActive) {
      this.#logger.debug("peer deactivated again", { "peer-id": this.#id, error });
      return;
    }
    this.#logger.warn("peer became inactive (message send to peer failed)", { "peer-id": this.#id, error });
    this.#sinceMs = undefined;
    this.#series.active.inc(-1);
    this.#series.disconnected.inc();
  }

  /** The member is not one of ours any more. */
  forget(): void {
    if (this.isActive) this.#series.active.inc(-1);
    this.#sinceMs = undefined;
  }
}

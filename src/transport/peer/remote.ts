/**
 * A member that this one only knows from its requests: it joined after what has been applied here. It gets answers by
 * posts until the log says who it is.
 */
import type { MemberId } from "../../lib/ids.ts";
import type { Message } from "../../lib/raft-message.ts";
import type { PeerEnvironment } from "./peer.ts";
import type { PeerSeries } from "./peer-metrics.ts";
import { PeerStatus } from "./peer-status.ts";
import { Pipeline } from "./pipeline.ts";
import { UrlPicker } from "./url-picker.ts";

export class Remote {
  readonly #status: PeerStatus;
  readonly #series: PeerSeries;
  readonly #pipeline: Pipeline;

  /** Throws if `urls` are none. */
  constructor(id: MemberId, urls: readonly string[], series: PeerSeries, environment: PeerEnvironment) {
    const { clock, logger, local, client, limits, onUnreachable, onLocalRemoved } = environment;
    this.#series = series;
    this.#status = new PeerStatus(id, clock, logger, series);
    const picker = new UrlPicker(urls);
    const shared = { local, peerId: id, picker, status: this.#status, series, client, limits, logger };
    this.#pipeline = new Pipeline({ ...shared, onLost: () => onUnreachable(id), onLocalRemoved });
  }

  send(message: Message): void {
    if (!this.#pipeline.send(message)) this.#series.sentFailures.inc();
  }

  stop(): void {
    this.#pipeline.stop();
    this.#status.forget();
  }
}

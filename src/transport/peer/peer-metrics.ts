/** etcd's metrics of the traffic between members. */
import type { MemberId } from "../../lib/ids.ts";
import {
  type Counter,
  exponentialBounds,
  type Gauge,
  type Histogram,
  type Labels,
  type Metrics,
} from "../../lib/metrics.ts";
import { formatId } from "../../membership/member.ts";

/** The series about one member. */
export interface PeerSeries {
  readonly active: Gauge;
  readonly disconnected: Counter;
  readonly sentBytes: Counter;
  readonly receivedBytes: Counter;
  readonly sentFailures: Counter;
  readonly receivedFailures: Counter;
  readonly roundTripSeconds: Histogram;
  readonly snapshotSend: SnapshotSeries;
  readonly snapshotReceive: SnapshotSeries;
}

export interface SnapshotSeries {
  readonly success: Counter;
  readonly failures: Counter;
  readonly inflight: Gauge;
  readonly seconds: Histogram;
}

const snapshotSecondsBounds = exponentialBounds(0.1, 2, 10);
const roundTripSecondsBounds = exponentialBounds(0.0001, 2, 16);
/** Who sent what came before it was known who sends. */
const unknownSender = "UNKNOWN_SNAPSHOT_SENDER";

export class PeerMetrics {
  readonly #metrics: Metrics;
  readonly #local: string;
  /** A member that is removed and comes back goes on counting where it was. */
  readonly #byId = new Map<string, PeerSeries>();

  constructor(metrics: Metrics, local: MemberId) {
    this.#metrics = metrics;
    this.#local = formatId(local);
  }

  of(id: MemberId): PeerSeries {
    return this.#named(formatId(id));
  }

  /** Of requests that do not say who they are from. */
  get ofStrangers(): PeerSeries {
    return this.#named(unknownSender);
  }

  #named(id: string): PeerSeries {
    let series = this.#byId.get(id);
    if (series === undefined) {
      series = this.#make(id);
      this.#byId.set(id, series);
    }
    return series;
  }

  #make(id: string): PeerSeries {
    const both = { Local: this.#local, Remote: id };
    const to = { To: id };
    const from = { From: id };
    const counter = (name: string, help: string, labels: Labels) =>
      this.#metrics.counter(`etcd_network_${name}`, help, labels);
    return {
      active: this.#metrics.gauge(
        "etcd_network_active_peers",
        "The current number of active peer connections.",
        both,
      ),
      disconnected: counter("disconnected_peers_total", "The total number of disconnected peers.", both),
      sentBytes: counter("peer_sent_bytes_total", "The total number of bytes sent to peers.", to),
      receivedBytes: counter(
        "peer_received_bytes_total",
        "The total number of bytes received from peers.",
        from,
      ),
      sentFailures: counter("peer_sent_failures_total", "The total number of send failures from peers.", to),
      receivedFailures: counter(
        "peer_received_failures_total",
        "The total number of receive failures from peers.",
        from,
      ),
      roundTripSeconds: this.#metrics.histogram(
        "etcd_network_peer_round_trip_time_seconds",
        "Round-Trip-Time histogram between peers",
        roundTripSecondsBounds,
        to,
      ),
      snapshotSend: this.#snapshots("send", to),
      snapshotReceive: this.#snapshots("receive", from),
    };
  }

  #snapshots(verb: "send" | "receive", labels: Labels): SnapshotSeries {
    const prefix = `etcd_network_snapshot_${verb}`;
    return {
      success: this.#metrics.counter(
        `${prefix}_success`,
        `Total number of successful snapshot ${verb}s`,
        labels,
      ),
      failures: this.#metrics.counter(
        `${prefix}_failures`,
        `Total number of snapshot ${verb} failures`,
        labels,
      ),
      inflight: this.#metrics.gauge(
        `${prefix}_inflights_total`,
        `Total number of inflight snapshot ${verb}s`,
        labels,
      ),
      seconds: this.#metrics.histogram(
        `${prefix}_total_duration_seconds`,
        `Total latency distributions of v3 snapshot ${verb}s`,
        snapshotSecondsBounds,
        labels,
      ),
    };
  }
}

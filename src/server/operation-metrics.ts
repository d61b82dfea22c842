/** etcd's metrics of single operations: how long they took, and how many went wrong. */
import { exponentialBounds, type Histogram, type Metrics } from "../lib/metrics.ts";
import { OpDurations } from "./op-durations.ts";

/** How long what the store does for clients took. */
class DurationMetrics {
  /** From the beginning of an entry's apply to its end. */
  readonly applySeconds: OpDurations;
  /** From when a request came to its end. */
  readonly requestSeconds: OpDurations;
  readonly readOnlyTxnSeconds: { readonly ok: Histogram; readonly failed: Histogram };
  readonly rangeSeconds: { readonly ok: Histogram; readonly failed: Histogram };
  readonly leaseTtlSeconds;
  readonly hashSeconds;
  readonly hashRevisionSeconds;
  readonly backendSnapshotSeconds;

  constructor(metrics: Metrics) {
    const disk = exponentialBounds(0.001, 2, 14);
    const fine = exponentialBounds(0.0001, 2, 20);
    this.applySeconds = new OpDurations((op, success) =>
      metrics.histogram(
        "etcd_server_apply_duration_seconds",
        "The latency distributions of v2 apply called by backend.",
        fine,
        { version: "v3", op, success: String(success) },
      ),
    );
    const request = (type: string, success: boolean) =>
      metrics.histogram(
        "etcd_server_request_duration_seconds",
        "Response latency distribution in seconds for each type.",
        disk,
        { type, success: String(success) },
      );
    this.requestSeconds = new OpDurations(request);
    this.readOnlyTxnSeconds = { ok: request("ReadonlyTxn", true), failed: request("ReadonlyTxn", false) };
    const range = (success: string) =>
      metrics.histogram(
        "etcd_server_range_duration_seconds",
        "The latency distributions of txn.Range",
        fine,
        {
          success,
        },
      );
    this.rangeSeconds = { ok: range("true"), failed: range("false") };
    this.leaseTtlSeconds = metrics.histogram(
      "etcd_debugging_lease_ttl_total",
      "Bucketed histogram of lease TTLs.",
      exponentialBounds(1, 2, 24),
    );
    const hashBounds = exponentialBounds(0.01, 2, 15);
    this.hashSeconds = metrics.histogram(
      "etcd_mvcc_hash_duration_seconds",
      "The latency distribution of storage hash operation.",
      hashBounds,
    );
    this.hashRevisionSeconds = metrics.histogram(
      "etcd_mvcc_hash_rev_duration_seconds",
      "The latency distribution of storage hash by revision operation.",
      hashBounds,
    );
    this.backendSnapshotSeconds = metrics.histogram(
      "etcd_disk_backend_snapshot_duration_seconds",
      "The latency distribution of backend snapshots.",
      exponentialBounds(0.01, 2, 17),
    );
  }
}

export class OperationMetrics extends DurationMetrics {
  readonly putBytes;
  readonly lastCompactionAtSeconds;
  readonly defragsInFlight;
  readonly snapshotBeingApplied;
  readonly heartbeatsLate;
  readonly readIndexesSlow;
  readonly readIndexesFailed;
  readonly learnersPromoted;
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    super(metrics);
    this.#metrics = metrics;
    this.putBytes = metrics.gauge(
      "etcd_debugging_mvcc_total_put_size_in_bytes",
      "The total size of put kv pairs seen by this member.",
    );
    this.lastCompactionAtSeconds = metrics.gauge(
      "etcd_debugging_mvcc_db_compaction_last",
      "The unix time of the last db compaction. Resets to 0 on start.",
    );
    this.defragsInFlight = metrics.gauge(
      "etcd_disk_defrag_inflight",
      "Whether or not defrag is active on the member. 1 means active, 0 means not.",
    );
    this.snapshotBeingApplied = metrics.gauge(
      "etcd_server_snapshot_apply_in_progress_total",
      "1 if the server is applying the incoming snapshot. 0 if none.",
    );
    this.heartbeatsLate = metrics.counter(
      "etcd_server_heartbeat_send_failures_total",
      "The total number of leader heartbeat send failures (likely overloaded from slow disk).",
    );
    this.readIndexesSlow = metrics.counter(
      "etcd_server_slow_read_indexes_total",
      "The total number of pending read indexes not in sync with leader's or timed out read index requests.",
    );
    this.readIndexesFailed = metrics.counter(
      "etcd_server_read_indexes_failed_total",
      "The total number of failed read indexes seen.",
    );
    this.learnersPromoted = metrics.counter(
      "etcd_server_learner_promote_successes",
      "The total number of successful learner promotions while this member is leader.",
    );
  }

  /** A learner could not be promoted; `reason` is one of etcd's texts. */
  promotionFailed(reason: string): void {
    const help =
      "The total number of failed learner promotions (likely learner not ready) while this member is leader.";
    this.#metrics.counter("etcd_server_learner_promote_failures", help, { Reason: reason }).inc();
  }
}

/** etcd's metrics of server, store, disk and leases, and the few that are ours. */
import type { PutRequest, TxnRequest, TxnResponse } from "../codec/kv.ts";
import type { LeaseGrantRequest } from "../codec/lease.ts";
import { raftField } from "../codec/raft-internal.ts";
import type { EtcdError } from "../errors/etcd-error.ts";
import { exponentialBounds, type Metrics } from "../lib/metrics.ts";
import type { KeyValueStore } from "../mvcc/types.ts";
import { OperationMetrics } from "./operation-metrics.ts";
import { etcdVersion } from "./versions.ts";

/** What is counted while the server runs; the rest is asked for when somebody scrapes. */
export class ServerMetrics extends OperationMetrics {
  readonly walFsyncSeconds;
  readonly backendCommitSeconds;
  readonly defragSeconds;
  readonly compactionMs;
  readonly compactedKeys;
  readonly leaderChanges;
  readonly proposalsFailed;
  readonly slowApplies;
  readonly puts;
  readonly deletes;
  readonly txns;
  readonly ranges;
  readonly leasesGranted;
  readonly leasesRevoked;
  readonly leasesRenewed;
  readonly leasesExpired;
  readonly loopDelaySeconds;

  constructor(metrics: Metrics) {
    super(metrics);
    const disk = exponentialBounds(0.001, 2, 14);
    this.walFsyncSeconds = metrics.histogram(
      "etcd_disk_wal_fsync_duration_seconds",
      "The latency distributions of fsync called by WAL.",
      disk,
    );
    this.backendCommitSeconds = metrics.histogram(
      "etcd_disk_backend_commit_duration_seconds",
      "The latency distributions of commit called by backend.",
      disk,
    );
    this.defragSeconds = metrics.histogram(
      "etcd_disk_backend_defrag_duration_seconds",
      "The latency distribution of backend defragmentation.",
      exponentialBounds(0.1, 2, 13),
    );
    this.compactionMs = metrics.histogram(
      "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds",
      "Bucketed histogram of db compaction total duration.",
      exponentialBounds(100, 2, 14),
    );
    this.compactedKeys = metrics.counter(
      "etcd_debugging_mvcc_db_compaction_keys_total",
      "Total number of db keys compacted.",
    );
    this.leaderChanges = metrics.counter(
      "etcd_server_leader_changes_seen_total",
      "The number of leader changes seen.",
    );
    this.proposalsFailed = metrics.counter(
      "etcd_server_proposals_failed_total",
      "The total number of failed proposals seen.",
    );
    this.slowApplies = metrics.counter(
      "etcd_server_slow_apply_total",
      "The total number of slow apply requests (likely overloaded from slow disk).",
    );
    this.puts = metrics.counter("etcd_mvcc_put_total", "Total number of puts seen by this member.");
    this.deletes = metrics.counter("etcd_mvcc_delete_total", "Total number of deletes seen by this member.");
    this.txns = metrics.counter("etcd_mvcc_txn_total", "Total number of txns seen by this member.");
    this.ranges = metrics.counter("etcd_mvcc_range_total", "Total number of ranges seen by this member.");
    const lease = (name: string, what: string) =>
      metrics.counter(`etcd_debugging_lease_${name}_total`, `The total number of ${what} leases.`);
    this.leasesGranted = lease("granted", "granted");
    this.leasesRevoked = lease("revoked", "revoked");
    this.leasesRenewed = metrics.counter(
      "etcd_debugging_lease_renewed_total",
      "The number of renewed leases seen by the leader.",
    );
    this.leasesExpired = metrics.counter(
      "etcd_debugging_server_lease_expired_total",
      "The total number of expired leases.",
    );
    this.loopDelaySeconds = metrics.histogram(
      "etclite_event_loop_delay_seconds",
      "How late the event loop was for its clock, looked at in each tick.",
      exponentialBounds(0.001, 2, 12),
    );
  }

  countApplied(field: number, request: unknown, error: EtcdError | undefined, result: unknown): void {
    if (error) return;
    if (field === raftField.put) this.#countPut(request as PutRequest);
    else if (field === raftField.txn) this.countTxn(request as TxnRequest, result as TxnResponse);
    else if (field === raftField.deleteRange) this.deletes.inc();
    else if (field === raftField.range) this.ranges.inc();
    else if (field === raftField.leaseGrant) {
      this.leasesGranted.inc();
      this.leaseTtlSeconds.observe(Number((request as LeaseGrantRequest).ttlSeconds));
    } else if (field === raftField.leaseRevoke) this.leasesRevoked.inc();
  }

  /** Counts what a transaction did, and itself if that was more than one operation, as etcd does. */
  countTxn(request: TxnRequest, response: TxnResponse): void {
    if (this.#countOps(request, response) > 1) this.txns.inc();
  }

  #countOps({ success, failure }: TxnRequest, { succeeded, responses }: TxnResponse): number {
    let count = 0;
    for (const [at, op] of (succeeded ? success : failure).entries()) {
      const response = responses[at];
      if (op.kind === "txn") {
        if (response?.kind === "txn") count += this.#countOps(op.txn, response.txn);
        continue;
      }
      count++;
      if (op.kind === "put") this.#countPut(op.put);
      else if (op.kind === "deleteRange") this.deletes.inc();
      else this.ranges.inc();
    }
    return count;
  }

  #countPut({ key, value }: PutRequest): void {
    this.puts.inc();
    this.putBytes.inc(key.length + value.length);
  }
}

/** What gauges are read from. The store may be another one each time. */
export interface GaugeSource {
  readonly store: KeyValueStore;
  readonly memberId: string;
  readonly quotaBackendBytes: number;
  backendSizes(): { totalBytes: number; inUseBytes: number };
  hasLeader(): boolean;
  isLeader(): boolean;
  isLearner(): boolean;
  committed(): number;
  applied(): number;
  pendingProposals(): number;
  walBytes(): number;
  /** Reads that take more than one turn and are under way. */
  openReads(): number;
  /** "3.7", or undefined until it is decided. */
  clusterVersion(): string | undefined;
  /** Of the users, roles and permissions. */
  authRevision(): number;
  /** The ids of all members. */
  memberIds(): readonly string[];
}

export function registerGauges(metrics: Metrics, source: GaugeSource): void {
  const gauge = (name: string, help: string, read: () => number | boolean) =>
    metrics.observed("gauge", name, help, () => Number(read()));
  gauge("etcd_server_has_leader", "Whether or not a leader exists. 1 is existence, 0 is not.", () =>
    source.hasLeader(),
  );
  gauge("etcd_server_is_leader", "Whether or not this member is a leader. 1 if is, 0 otherwise.", () =>
    source.isLeader(),
  );
  gauge("etcd_server_is_learner", "Whether or not this member is a learner. 1 if is, 0 otherwise.", () =>
    source.isLearner(),
  );
  gauge("etcd_server_proposals_committed_total", "The total number of consensus proposals committed.", () =>
    source.committed(),
  );
  gauge("etcd_server_proposals_applied_total", "The total number of consensus proposals applied.", () =>
    source.applied(),
  );
  gauge("etcd_server_proposals_pending", "The current number of pending proposals to commit.", () =>
    source.pendingProposals(),
  );
  gauge(
    "etcd_server_quota_backend_bytes",
    "Current backend storage quota size in bytes.",
    () => source.quotaBackendBytes,
  );
  gauge("etcd_disk_wal_write_bytes_total", "Total number of bytes written in WAL.", () => source.walBytes());
  gauge(
    "etcd_mvcc_db_total_size_in_bytes",
    "Total size of the underlying database physically allocated in bytes.",
    () => source.backendSizes().totalBytes,
  );
  gauge(
    "etcd_mvcc_db_total_size_in_use_in_bytes",
    "Total size of the underlying database logically in use in bytes.",
    () => source.backendSizes().inUseBytes,
  );
  gauge(
    "etcd_debugging_mvcc_current_revision",
    "The current revision of store.",
    () => source.store.revision,
  );
  gauge(
    "etcd_debugging_mvcc_compact_revision",
    "The revision of the last compaction in store.",
    () => source.store.compactRevision,
  );
  gauge(
    "etclite_store_overlay_bytes",
    "Bytes applied and not yet in the backend.",
    () => source.store.overlayBytes,
  );
  registerClusterGauges(metrics, source);
  metrics
    .gauge(
      "etcd_server_version",
      "Which version is running. 1 for 'server_version' label with current version.",
      { server_version: etcdVersion },
    )
    .set(1);
  metrics
    .gauge(
      "etcd_server_id",
      "Server or member ID in hexadecimal format. 1 for 'server_id' label with current ID.",
      { server_id: source.memberId },
    )
    .set(1);
}

function registerClusterGauges(metrics: Metrics, source: GaugeSource): void {
  metrics.observed(
    "gauge",
    "etcd_mvcc_db_open_read_transactions",
    "The number of currently open read transactions",
    () => source.openReads(),
  );
  metrics.observed("gauge", "etcd_debugging_auth_revision", "The current revision of auth store.", () =>
    source.authRevision(),
  );
  metrics.collected(
    "gauge",
    "etcd_cluster_version",
    "Which version is running. 1 for 'cluster_version' label with current cluster version",
    () => {
      const version = source.clusterVersion();
      return version === undefined ? [] : [[{ cluster_version: version }, 1]];
    },
  );
  metrics.collected("gauge", "etcd_network_known_peers", "The current number of known peers.", () =>
    source.memberIds().map((id) => [{ Local: source.memberId, Remote: id }, 1]),
  );
}

/**
 * What older etcds had and 3.7 has not, with what to write now. On the command line such a flag is refused, as in etcd;
 * in a file or in the environment etcd passes over it in silence, and we say what became of it.
 */

const gate = (name: string): string => `use --feature-gates=${name}=true`;
const renamed = (flag: string): string => `use --${flag}`;
const gone = (what: string): string => `${what}; remove it`;

const v2Proxy = gone("the v2 proxy is no more (a gRPC proxy or a load balancer takes its place)");
const v2Discovery =
  "v2 discovery is no more: use --discovery-token and --discovery-endpoints, or --discovery-srv";

/** Advice by flag or YAML key. */
export const removedFlags: Readonly<Record<string, string>> = {
  "enable-v2": gone("the v2 API is no more"),
  "experimental-enable-v2v3": gone("the v2 API is no more"),
  proxy: v2Proxy,
  "proxy-failure-wait": v2Proxy,
  "proxy-refresh-interval": v2Proxy,
  "proxy-dial-timeout": v2Proxy,
  "proxy-write-timeout": v2Proxy,
  "proxy-read-timeout": v2Proxy,
  discovery: v2Discovery,
  "discovery-proxy": v2Discovery,
  debug: "use --log-level=debug",
  "log-output": renamed("log-outputs"),
  "log-package-levels": renamed("log-level"),
  "experimental-backend-bbolt-freelist-type": renamed("backend-bbolt-freelist-type"),
  "experimental-bootstrap-defrag-threshold-megabytes": renamed("bootstrap-defrag-threshold-megabytes"),
  "experimental-compact-hash-check-enabled": gate("CompactHashCheck"),
  "experimental-compact-hash-check-time": renamed("compact-hash-check-time"),
  "experimental-compaction-batch-limit": renamed("compaction-batch-limit"),
  "experimental-compaction-sleep-interval": renamed("compaction-sleep-interval"),
  "experimental-corrupt-check-time": renamed("corrupt-check-time"),
  "experimental-distributed-tracing-address": renamed("distributed-tracing-address"),
  "experimental-distributed-tracing-instance-id": renamed("distributed-tracing-instance-id"),
  "experimental-distributed-tracing-sampling-rate": renamed("distributed-tracing-sampling-rate"),
  "experimental-distributed-tracing-service-name": renamed("distributed-tracing-service-name"),
  "experimental-downgrade-check-time": renamed("downgrade-check-time"),
  "experimental-enable-distributed-tracing": renamed("enable-distributed-tracing"),
  "experimental-enable-lease-checkpoint": gate("LeaseCheckpoint"),
  "experimental-enable-lease-checkpoint-persist": gate("LeaseCheckpoint=true,LeaseCheckpointPersist"),
  "experimental-initial-corrupt-check": gate("InitialCorruptCheck"),
  "experimental-max-learners": renamed("max-learners"),
  "experimental-memory-mlock": renamed("memory-mlock"),
  "experimental-peer-skip-client-san-verification": renamed("peer-skip-client-san-verification"),
  "experimental-set-member-localaddr": gate("SetMemberLocalAddr"),
  "experimental-snapshot-catchup-entries": renamed("snapshot-catchup-entries"),
  "experimental-snapshot-catch-up-entries": renamed("snapshot-catchup-entries"),
  "experimental-stop-grpc-service-on-defrag": gate("StopGRPCServiceOnDefrag"),
  "experimental-txn-mode-write-with-shared-buffer": gate("TxnModeWriteWithSharedBuffer"),
  "experimental-wait-cluster-ready-timeout": gone("starting does not wait for the cluster any more"),
  "experimental-warning-apply-duration": renamed("warning-apply-duration"),
  "experimental-warning-unary-request-duration": renamed("warning-unary-request-duration"),
  "experimental-watch-progress-notify-interval": renamed("watch-progress-notify-interval"),
};

export const adviceFor = (flag: string): string | undefined =>
  Object.hasOwn(removedFlags, flag) ? removedFlags[flag] : undefined;

/** Flags of the first etcds that 3.7 still takes without a word, as booleans. */
export const ignoredFlags: readonly string[] = [
  "cluster-active-size",
  "cluster-remove-delay",
  "cluster-sync-interval",
  "config",
  "force",
  "max-result-buffer",
  "max-retry-attempts",
  "peer-heartbeat-interval",
  "peer-election-timeout",
  "retry-interval",
  "snapshot",
  "v",
  "vv",
  "test.coverprofile",
  "test.outputdir",
];

/** Keys that a file of etcd's may have without a flag of that name, with why they do nothing here. */
export const ignoredKeys: Readonly<Record<string, string>> = {
  "discovery-fallback": "only 'exit' is left",
  "grpc-additional-server-options": "it is meant for programs that embed etcd",
  "discovery-config.client.max-request-bytes": "discovery's requests are small",
  "discovery-config.client.max-recv-bytes": "discovery's answers are small",
  "discovery-config.client.secure.server-name": "the endpoint's own name is checked",
  "discovery-config.client.auth.token": "discovery logs in by name and password",
};

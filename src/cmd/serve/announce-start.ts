/** What a member is about to run with, as one line of the log: the first thing that anybody who helps asks for. */
import type { Config } from "../../config/config.ts";
import { changedGates } from "../../config/feature-gates.ts";
import type { EtcdUrl } from "../../lib/etcd-url.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import type { Logger } from "../../lib/logger.ts";
import { etcdVersion } from "../../server/versions.ts";
import { etcliteVersion, gitSha, goArch, goOs, goVersion } from "../version.ts";

const caller = "cmd/serve/announce-start.ts";

/** Where a member's data is, and whether there is any yet. */
export interface MemberPlace {
  readonly initialized: boolean;
  /** Undefined: nothing is kept. */
  readonly memberDir: string | undefined;
}

/** Before anything is opened that a wrong setting could stop. The names and their order are etcd's. */
export function announceStart(config: Config, place: MemberPlace, logger: Logger): void {
  logger.at(caller).info("starting an etcd server", {
    "etcd-version": etcdVersion,
    "etclite-version": etcliteVersion,
    "git-sha": gitSha,
    "go-version": goVersion(),
    "go-os": goOs,
    "go-arch": goArch,
    "member-initialized": place.initialized,
    ...memberFields(config, place),
    ...clusterFields(config),
    ...limitFields(config),
    ...discoveryFields(config),
    "downgrade-check-interval": formatGoDuration(config.downgradeCheckTimeMs),
    "max-learners": config.maxLearners,
    "v2-deprecation": "write-only",
  });
}

/** Once all ports are open. */
export function announceServing(config: Config, localMemberId: string, logger: Logger): void {
  logger.at(caller).info("now serving peer/client/metrics", {
    "local-member-id": localMemberId,
    ...urlFields(config),
  });
}

const hrefs = (urls: readonly EtcdUrl[]): string[] => urls.map(({ href }) => href);

const urlFields = (config: Config) => ({
  "initial-advertise-peer-urls": hrefs(config.initialAdvertisePeerUrls),
  "listen-peer-urls": hrefs(config.listenPeerUrls),
  "advertise-client-urls": hrefs(config.advertiseClientUrls),
  "listen-client-urls": hrefs(config.listenClientUrls),
  "listen-metrics-urls": hrefs(config.listenMetricsUrls),
});

const memberFields = (config: Config, { memberDir }: MemberPlace) => ({
  name: config.name,
  "data-dir": config.dataDir,
  "wal-dir": config.walDir,
  "member-dir": memberDir ?? "",
  "storage-backend": config.storageBackend,
  "force-new-cluster": config.forceNewCluster,
  "heartbeat-interval": formatGoDuration(config.heartbeatIntervalMs),
  "election-timeout": formatGoDuration(config.electionTicks * config.heartbeatIntervalMs),
  "initial-election-tick-advance": config.initialElectionTickAdvance,
  "snapshot-count": config.snapshotCount,
  "max-wals": config.maxWals,
  "max-snapshots": config.maxSnapshots,
  "snapshot-catchup-entries": config.snapshotCatchupEntries,
});

const clusterFields = (config: Config) => ({
  ...urlFields(config),
  cors: config.cors,
  "host-whitelist": config.hostWhitelist,
  "initial-cluster": config.initialCluster,
  "initial-cluster-state": config.initialClusterState,
  "initial-cluster-token": config.initialClusterToken,
});

const limitFields = (config: Config) => ({
  "quota-backend-bytes": config.quotaBackendBytes,
  "max-request-bytes": config.maxRequestBytes,
  "max-concurrent-streams": config.maxConcurrentStreams,
  "pre-vote": config.preVote,
  "feature-gates": changedGates(config.featureGates),
  "initial-corrupt-check": config.featureGates.InitialCorruptCheck,
  "corrupt-check-time-interval": formatGoDuration(config.corruptCheckTimeMs),
  "compact-check-time-interval": formatGoDuration(config.compactHashCheckTimeMs),
  "auto-compaction-mode": config.autoCompactionMode,
  "auto-compaction-retention": retentionText(config),
});

/** Without the password. */
const discoveryFields = (config: Config) => ({
  "discovery-token": config.discoveryToken,
  "discovery-endpoints": config.discoveryEndpoints.join(","),
  "discovery-dial-timeout": formatGoDuration(config.discoveryDialTimeoutMs),
  "discovery-request-timeout": formatGoDuration(config.discoveryRequestTimeoutMs),
  "discovery-keepalive-time": formatGoDuration(config.discoveryKeepaliveTimeMs),
  "discovery-keepalive-timeout": formatGoDuration(config.discoveryKeepaliveTimeoutMs),
  "discovery-insecure-transport": config.discoveryInsecureTransport,
  "discovery-insecure-skip-tls-verify": config.discoveryInsecureSkipTlsVerify,
  "discovery-cert": config.discoveryCert,
  "discovery-key": config.discoveryKey,
  "discovery-cacert": config.discoveryCacert,
  "discovery-user": config.discoveryUser.replace(/:.*/s, ":..."),
});

function retentionText({ autoCompaction }: Config): string {
  if (autoCompaction === undefined) return "0s";
  return autoCompaction.mode === "periodic"
    ? formatGoDuration(autoCompaction.retentionMs)
    : String(autoCompaction.retentionRevisions);
}

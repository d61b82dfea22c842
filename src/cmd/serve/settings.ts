/** What a server is told of the configuration. */
import type { Config } from "../../config/config.ts";
import type { EtcdServerSettings } from "../../server/etcd-server.ts";

export function settingsOf(config: Config): EtcdServerSettings {
  return {
    name: config.name,
    advertiseClientUrls: config.advertiseClientUrls.map((url) => url.href),
    tickMs: config.heartbeatIntervalMs,
    electionTicks: config.electionTicks,
    snapshotCount: config.snapshotCount,
    keepWalSegments: config.maxWals,
    maxRequestBytes: config.maxRequestBytes,
    maxTxnOps: config.maxTxnOps,
    quotaBackendBytes: config.quotaBackendBytes,
    storeLimits: {
      generationBytes: 1024 * 1024,
      generationDelayMs: 50,
      overlayBytesMax: config.storageOverlayBytes,
    },
    watchProgressIntervalMs: config.watchProgressNotifyIntervalMs,
    logBytesMax: 64 * 1024 * 1024,
    cacheBytes: 4 * 1024 * 1024,
    strictReconfigCheck: config.strictReconfigCheck,
    initialElectionTickAdvance: config.initialElectionTickAdvance,
    downgradeCheckMs: config.downgradeCheckTimeMs,
    renewsAtOnce: config.featureGates.FastLeaseKeepAlive,
    revokesFirst: config.featureGates.PriorityRequest,
    warningApplyDurationMs: config.warningApplyDurationMs,
    corruption: {
      checkMs: config.corruptCheckTimeMs,
      compactHashCheckMs: config.featureGates.CompactHashCheck ? config.compactHashCheckTimeMs : 0,
    },
    compactionPace: {
      batchRows: config.compactionBatchLimit > 0 ? config.compactionBatchLimit : Number.MAX_SAFE_INTEGER,
      restMs: Math.max(0, config.compactionSleepIntervalMs),
    },
  };
}

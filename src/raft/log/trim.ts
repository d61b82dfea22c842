/**
 * How much of the log stays in memory.
 */
import type { Raft } from "../raft.ts";

/**
 * Forgets entries that are applied, on disk and covered by the snapshot mark, but keeps the last `keepEntries` of
 * them, and those that an active follower still needs. Above `maxLogBytes` neither of the two is kept: memory stays
 * bounded, and whoever lags gets a snapshot.
 */
export function trimLog(raft: Raft): void {
  const { log, config } = raft;
  const limit = Math.min(log.applied, log.stable, log.mark?.index ?? 0);
  let index = Math.min(limit, log.applied - config.keepEntries);
  if (raft.role === "leader") {
    for (const progress of raft.tracker.progress.values()) {
      if (progress.recentActive) index = Math.min(index, Math.max(progress.match, progress.pendingSnapshot));
    }
  }
  if (index >= log.first) log.compact(index);
  const excess = log.bytes - config.maxLogBytes;
  if (excess > 0 && limit >= log.first) log.compact(log.indexAtBytes(excess, limit));
}

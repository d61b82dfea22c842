/** The metrics of watches, by etcd's names. */
import type { Metrics } from "../../lib/metrics.ts";
import type { WatchHub } from "../../mvcc/watch/watch-hub.ts";

export function registerWatchMetrics(metrics: Metrics, hub: WatchHub): void {
  const gauge = (name: string, help: string, read: () => number) =>
    metrics.observed("gauge", `etcd_debugging_mvcc_${name}`, help, read);
  gauge("watch_stream_total", "Total number of watch streams.", () => hub.counts.streams);
  gauge("watcher_total", "Total number of watchers.", () => hub.counts.watchers);
  gauge("slow_watcher_total", "Total number of unsynced slow watchers.", () => hub.counts.slow);
  metrics.observed(
    "counter",
    "etcd_debugging_mvcc_events_total",
    "Total number of events sent by this member.",
    () => hub.counts.events,
  );
}

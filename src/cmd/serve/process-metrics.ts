/** The metrics that every Prometheus client gives of its process, by the usual names. */
import type { Metrics } from "../../lib/metrics.ts";
import { type ProcessStats, processStats, startedAtSeconds } from "../../runtime/process-stats.ts";

/** One look at the process serves all series of a scrape. */
const lookAgainAfterMs = 100;

export function registerProcessMetrics(metrics: Metrics, monotonicMs: () => number): void {
  let stats: ProcessStats | undefined;
  let lookedAtMs = 0;
  const now = (): ProcessStats => {
    if (stats === undefined || monotonicMs() - lookedAtMs > lookAgainAfterMs) {
      stats = processStats();
      lookedAtMs = monotonicMs();
    }
    return stats;
  };
  const observed = (kind: "counter" | "gauge", name: string, help: string, read: () => number) =>
    metrics.observed(kind, name, help, read);
  observed(
    "counter",
    "process_cpu_seconds_total",
    "Total user and system CPU time spent in seconds.",
    () => now().cpuSeconds,
  );
  observed(
    "gauge",
    "process_resident_memory_bytes",
    "Resident memory size in bytes.",
    () => now().residentBytes,
  );
  observed(
    "gauge",
    "process_virtual_memory_bytes",
    "Virtual memory size in bytes.",
    () => now().virtualBytes,
  );
  observed(
    "gauge",
    "process_virtual_memory_max_bytes",
    "Maximum amount of virtual memory available in bytes.",
    () => now().virtualMaxBytes,
  );
  observed(
    "counter",
    "process_network_receive_bytes_total",
    "Number of bytes received by the process over the network.",
    () => now().networkReceivedBytes,
  );
  observed(
    "counter",
    "process_network_transmit_bytes_total",
    "Number of bytes sent by the process over the network.",
    () => now().networkSentBytes,
  );
  observed("gauge", "process_open_fds", "Number of open file descriptors.", () => now().openFiles);
  observed("gauge", "process_max_fds", "Maximum number of open file descriptors.", () => now().maxFiles);
  observed("gauge", "os_fd_used", "The number of used file descriptors.", () => now().openFiles);
  observed("gauge", "os_fd_limit", "The file descriptor limit.", () => now().maxFiles);
  observed(
    "gauge",
    "process_start_time_seconds",
    "Start time of the process since unix epoch in seconds.",
    () => startedAtSeconds,
  );
}

/** What the proxy counts, by etcd's names. */
import type { Counter, Gauge, Metrics } from "../../lib/metrics.ts";

export interface ProxyMetrics {
  /** Watches that share another's. */
  readonly watchersCoalescing: Gauge;
  /** Events that did not have to come from a server again. */
  readonly eventsCoalescing: Counter;
}

export function proxyMetrics(metrics: Metrics): ProxyMetrics {
  const name = (last: string) => `etcd_grpc_proxy_${last}`;
  // There is no cache of answers; whoever plots these finds them.
  metrics.gauge(name("cache_keys_total"), "Total number of keys/ranges cached");
  metrics.gauge(name("cache_hits_total"), "Total number of cache hits");
  metrics.gauge(name("cache_misses_total"), "Total number of cache misses");
  return {
    watchersCoalescing: metrics.gauge(
      name("watchers_coalescing_total"),
      "Total number of current watchers coalescing",
    ),
    eventsCoalescing: metrics.counter(name("events_coalescing_total"), "Total number of events coalescing"),
  };
}

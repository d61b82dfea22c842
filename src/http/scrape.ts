/** /metrics, and the counters that Go's Prometheus handler keeps of itself. */
import type { Hono } from "hono";
import type { Metrics } from "../lib/metrics.ts";

export function addScrape(app: Hono, metrics: Metrics): void {
  const total = (code: string) =>
    metrics.counter(
      "promhttp_metric_handler_requests_total",
      "Total number of scrapes by HTTP status code.",
      { code },
    );
  const [ok] = [total("200"), total("500"), total("503")] as const;
  const inFlight = metrics.gauge(
    "promhttp_metric_handler_requests_in_flight",
    "Current number of scrapes being served.",
  );
  // By any method, as in etcd.
  app.all("/metrics", (context) => {
    inFlight.inc();
    try {
      const text = metrics.expose();
      ok.inc();
      return context.body(text, 200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
    } finally {
      inFlight.inc(-1);
    }
  });
}

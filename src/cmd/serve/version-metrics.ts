/** What runs, and which of its features are switched on, as metrics. */
import { type FeatureGates, gateEntries } from "../../config/feature-gates.ts";
import type { Metrics } from "../../lib/metrics.ts";
import { goVersion } from "../version.ts";

export function registerVersionMetrics(metrics: Metrics, gates: FeatureGates): void {
  metrics
    .gauge(
      "etcd_server_go_version",
      "Which Go version server is running with. 1 for 'server_go_version' label with current version.",
      { server_go_version: goVersion() },
    )
    .set(1);
  for (const [name, { stage }] of gateEntries) {
    const help = "Whether or not a feature is enabled. 1 is enabled, 0 is not.";
    metrics.gauge("etcd_server_feature_enabled", help, { name, stage }).set(Number(gates[name]));
  }
}

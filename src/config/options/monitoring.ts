/** Looking at a running member. */
import { bool, type OptionTable, text, urls } from "../option.ts";

export const monitoringOptions = {
  enablePprof: bool("enable-pprof", {
    default: false,
    help: "Serve profiles under /debug/pprof/.",
  }),
  /** "extensive" or anything else, as in etcd. */
  metrics: text("metrics", {
    default: "basic",
    help: "'extensive' adds histograms of calls to the metrics.",
  }),
  listenMetricsUrls: urls("listen-metrics-urls", {
    default: "",
    help: "Where else to serve /metrics and /health.",
  }),
} satisfies OptionTable;

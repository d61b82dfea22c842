/** What a server offers to those who come: its routes, everything on the port that is not gRPC, and its metrics. */
import type { Config } from "../../config/config.ts";
import { errors } from "../../errors/table.ts";
import { AlarmType } from "../../gen/tables/etcdserverpb/rpc.ts";
import { createHttpHandler, createMetricsHandler } from "../../http/app.ts";
import type { HealthSource } from "../../http/health.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Metrics } from "../../lib/metrics.ts";
import { formatId } from "../../membership/member.ts";
import { callTimes } from "../../rpc/call-times.ts";
import { HealthStatus } from "../../rpc/health.ts";
import { createRoutes, ownServices, services } from "../../rpc/services.ts";
import { type CallTracer, traceRoutes } from "../../rpc/trace-routes.ts";
import { registerWatchMetrics } from "../../rpc/watch/watch-metrics.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import type { EtcdServer } from "../../server/etcd-server.ts";
import { registerGauges } from "../../server/server-metrics.ts";
import { CallRecords } from "../../transport/grpc-server/call-records.ts";
import { loadProfiles, variablesOf } from "./debug.ts";
import { maxReceiveBytes, type Served } from "./listen.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import { registerVersionMetrics } from "./version-metrics.ts";

export interface ServedParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly server: EtcdServer;
  readonly metrics: Metrics;
  /** For `--enable-distributed-tracing`. */
  readonly tracer?: CallTracer | undefined;
}

export function makeServed({ config, logger, server, metrics, tracer }: ServedParts) {
  registerGauges(metrics, gaugesOf(server));
  registerWatchMetrics(metrics, server.watchHub);
  registerProcessMetrics(metrics, () => systemClock.monotonicMs());
  registerVersionMetrics(metrics, config.featureGates);
  if (config.enablePprof) logger.at("cmd/serve/served.ts").info("pprof is enabled", { path: "/debug/pprof" });
  const health = new HealthStatus();
  const plainRoutes = createRoutes(server, health, metrics);
  const routes = tracer ? traceRoutes(plainRoutes, tracer) : plainRoutes;
  const versions = () => ({
    etcdserver: server.versions.server,
    etcdcluster: server.cluster.version ?? "not_decided",
    storage: server.versions.storage,
  });
  const times = callTimes({
    metrics,
    logger: logger.at("rpc/call-times.ts"),
    now: () => server.turnClock.now(),
    wallMs: () => systemClock.wallMs(),
    extensive: config.metrics === "extensive",
    warnAfterMs: config.warningUnaryRequestDurationMs,
  });
  const records = new CallRecords(routes.keys(), times);
  const http = {
    services: [...services, ...ownServices],
    routes,
    records,
    isAuthEnabled: () => server.auth.enabled,
    metrics,
    logger: logger.at("http/app.ts"),
    health: healthOf(server),
    versions,
    cors: config.cors,
    maxReceiveBytes: maxReceiveBytes(config),
    hostWhitelist: config.hostWhitelist,
    variables: variablesOf(server),
    profiles: config.enablePprof ? loadProfiles : undefined,
  };
  const served: Served = {
    routes,
    fetch: createHttpHandler({
      ...http,
      gateway: config.enableGrpcGateway,
      console: config.enableConsole ? { memberOrigins: () => clientUrlsOf(server) } : undefined,
    }),
    fetchMetrics: createMetricsHandler(http),
    records,
  };
  return { served, health, versions };
}

function gaugesOf(server: EtcdServer) {
  return {
    get store() {
      return server.store;
    },
    backendSizes: () => server.backendSizes(),
    memberId: formatId(server.cluster.localId),
    quotaBackendBytes: server.quotaBackendBytes,
    hasLeader: () => server.hasLeader,
    isLeader: () => server.isLeader,
    isLearner: () => server.cluster.isLearner,
    committed: () => server.raftStatus().commitIndex,
    applied: () => server.raftStatus().appliedIndex,
    pendingProposals: () => server.pendingProposals,
    walBytes: () => server.walBytes,
    openReads: () => server.slices.active,
    authRevision: () => server.auth.state.revision,
    clusterVersion: () => server.cluster.version?.replace(/\.\d+$/, ""),
    memberIds: () => server.cluster.members().map(({ id }) => formatId(id)),
  };
}

const clientUrlsOf = (server: EtcdServer): readonly string[] =>
  server.cluster.members().flatMap(({ clientUrls }) => clientUrls);

function healthOf(server: EtcdServer): HealthSource {
  return {
    alarms: () => server.alarms().map(({ alarm }) => (alarm === AlarmType.NOSPACE ? "NOSPACE" : "CORRUPT")),
    hasLeader: () => server.hasLeader,
    isLearner: () => server.cluster.isLearner,
    tryRead: (serializable) => tryRead(server, serializable),
  };
}

function tryRead(server: EtcdServer, serializable: boolean): Promise<void> {
  if (serializable) return Promise.resolve();
  // The only voter can read without its log, but is not healthy.
  if (!server.logIsWritten) return Promise.reject(errors.timeout());
  return new Promise((resolve, reject) => server.linearizable(resolve, reject));
}

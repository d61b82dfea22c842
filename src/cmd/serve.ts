/**
 * The composition root of the server: makes every part from the configuration, puts them together, and takes them apart
 * again when it is told to stop.
 */
import { randomBytes, randomInt } from "node:crypto";
import { checkExistingCluster, checkNewCluster } from "../config/bootstrap.ts";
import { type Config, ConfigError } from "../config/config.ts";
import { refuseDiscovery } from "../config/not-yet.ts";
import { minLeaseTtlSeconds } from "../lease/lessor.ts";
import type { LogFields, Logger } from "../lib/logger.ts";
import { Metrics } from "../lib/metrics.ts";
import { registerTransportMetrics } from "../rpc/transport-metrics.ts";
import { collectWhenQuiet } from "../runtime/garbage.ts";
import { notifySystemd } from "../runtime/notify-systemd.ts";
import { resolveHost } from "../runtime/resolve-host.ts";
import { systemClock } from "../runtime/system-clock.ts";
import { startAutoCompaction } from "../server/auto-compaction/start.ts";
import { type BootstrapOptions, bootstrap } from "../server/bootstrap.ts";
import type { EtcdServer } from "../server/etcd-server.ts";
import { ServerMetrics } from "../server/server-metrics.ts";
import { MemoryWal } from "../wal/memory-wal.ts";
import { openWal, walExists } from "../wal/open.ts";
import { clusterFinder, peersOf } from "./serve/cluster.ts";
import { openPorts } from "./serve/listen.ts";
import { type DataFolder, openData } from "./serve/open-data.ts";
import { PeerPort } from "./serve/peer-port.ts";
import { makeServed } from "./serve/served.ts";
import { settingsOf } from "./serve/settings.ts";
import { openTls } from "./serve/tls.ts";
import { startTracing } from "./serve/tracing.ts";
import { untilStopped } from "./serve/until-stopped.ts";

/** How long running calls may go on when the server is told to stop. */
const shutdownGraceMs = 500;

/** Runs a server until it is told to stop or cannot go on. Returns the status to end with. */
export async function serve(config: Config, logger: Logger): Promise<number> {
  const stop = untilStopped(logger);
  let data: DataFolder | undefined;
  try {
    data = await openData(config, logger);
    return await run(config, logger, data, stop);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    logger.at("cmd/serve.ts").fatal("failed to start etcd", { error: message });
    return error instanceof ConfigError ? error.exitStatus : 1;
  } finally {
    data?.release();
  }
}

async function run(
  config: Config,
  logger: Logger,
  data: DataFolder,
  stop: ReturnType<typeof untilStopped>,
): Promise<number> {
  const metrics = new Metrics();
  const serverMetrics = new ServerMetrics(metrics);
  const tls = await openTls(config, logger, data.fixturesDir);
  const peerPort = await PeerPort.make({
    config,
    logger,
    metrics,
    snapshotDir: data.snapshotDir,
    tls: tls.peer,
  });
  const options = await bootstrapOptions({ config, logger, data, metrics: serverMetrics, stop, peerPort });
  const server = await bootstrap(options);
  if (options.hasLog && config.featureGates.InitialCorruptCheck) await checkInitialHash(server, logger);
  const tracer = await startTracing(config, logger);
  const { served, health, versions } = makeServed({ config, logger, server, metrics, tracer });
  const ports = await openPorts(config, logger.at("cmd/serve/listen.ts"), served, tls.client);
  await peerPort.open(server, versions);
  registerTransportMetrics(metrics, ports.clients);
  const compactor = startAutoCompaction(config.autoCompaction, {
    clock: systemClock,
    logger: logger.at("server/auto-compaction/auto-compactor.ts"),
    revision: () => server.store.revision,
    isLeader: () => server.isLeader,
    compact: (revision) => server.compact(revision),
  });
  const collector = collectWhenQuiet(
    () => server.raftStatus().appliedIndex + ports.clients.counters.streamsOpened,
  );
  await Promise.race([server.start(), stop.asked]);
  logger.at("cmd/serve.ts").info("ready to serve client requests");
  tellSystemd(logger, "READY=1");
  const status = await stop.asked;
  tellSystemd(logger, "STOPPING=1");
  health.set(false);
  compactor?.stop();
  collector.stop();
  await ports.stop(shutdownGraceMs);
  await server.stop();
  await peerPort.stop(shutdownGraceMs);
  await tracer?.stop();
  return status;
}

function tellSystemd(logger: Logger, state: string): void {
  notifySystemd(state).catch((error: Error) =>
    logger.at("cmd/serve.ts").warn("failed to notify systemd", { state, error: error.message }),
  );
}

interface Surroundings {
  readonly config: Config;
  readonly logger: Logger;
  readonly data: DataFolder;
  readonly metrics: ServerMetrics;
  readonly stop: ReturnType<typeof untilStopped>;
  readonly peerPort: PeerPort;
}

async function bootstrapOptions(around: Surroundings): Promise<BootstrapOptions> {
  const { config, logger, data, metrics, stop, peerPort } = around;
  const { logDir } = data;
  return {
    settings: settingsOf(config),
    clock: systemClock,
    logger,
    metrics,
    stores: data.stores,
    hasLog: logDir !== undefined && (await walExists(logDir)),
    openLog: async (metadata, from) => {
      if (logDir === undefined) return memoryLog(metadata);
      return openWal(
        {
          dir: logDir,
          metadata,
          sync: !config.unsafeNoFsync,
          onSync: (seconds) => metrics.walFsyncSeconds.observe(seconds),
          onWarning: (message, fields) => logger.at("wal/wal.ts").warn(message, fields as LogFields),
        },
        from,
      );
    },
    initialClusterState: config.initialClusterState,
    initialCluster: async () => {
      refuseDiscovery(config);
      const joins = config.initialClusterState === "existing";
      const cluster = joins ? checkExistingCluster(config) : await checkNewCluster(config, resolveHost);
      return new Map([...cluster].map(([name, urls]) => [name, urls.map((url) => url.href)]));
    },
    initialClusterToken: config.initialClusterToken,
    forceNewCluster: config.forceNewCluster,
    bootstrapTimeoutMs: 1000,
    finder: clusterFinder(logger, {
      dialTimeoutMs: 1_000 + config.electionTimeoutMs,
      resolve: resolveHost,
      tls: peerPort.tls,
    }),
    connect: (ids) => peersOf(peerPort.connect(ids), logger),
    maxLearners: config.maxLearners,
    minLeaseTtlSeconds: minLeaseTtlSeconds({
      heartbeatMs: config.heartbeatIntervalMs,
      electionTicks: config.electionTicks,
    }),
    raft: { preVote: config.preVote, keepEntries: config.snapshotCatchupEntries, randomBelow: randomInt },
    random64: () => randomBytes(8).readBigUInt64BE(),
    onFatal: stop.fatal,
    onRemoved: stop.end,
  };
}

async function checkInitialHash(server: EtcdServer, logger: Logger): Promise<void> {
  try {
    await server.checkInitialHash();
  } catch (error) {
    logger.at("cmd/serve.ts").error("checkInitialHashKV failed", { error: (error as Error).message });
    await server.stop();
    throw error;
  }
}

function memoryLog(metadata: Uint8Array) {
  const wal = new MemoryWal(systemClock);
  const nothing = { hardState: undefined, snapshot: undefined, entries: [] };
  return {
    wal,
    contents: { ...nothing, metadata, lastIndex: 0 as never, lastTerm: 0 as never, created: true },
  };
}

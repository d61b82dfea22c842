/**
 * The composition root of a server: makes every part from the configuration, puts them together, and takes them apart
 * again. It knows neither signals nor the process, so that a program may have several.
 */
import { randomBytes, randomInt } from "node:crypto";
import type { Config } from "../../config/config.ts";
import { minLeaseTtlSeconds } from "../../lease/lessor.ts";
import type { LogFields, Logger } from "../../lib/logger.ts";
import { Metrics } from "../../lib/metrics.ts";
import { registerTransportMetrics } from "../../rpc/transport-metrics.ts";
import { resolveHost } from "../../runtime/resolve-host.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import { startAutoCompaction } from "../../server/auto-compaction/start.ts";
import { type BootstrapOptions, bootstrap } from "../../server/bootstrap.ts";
import type { EtcdServer } from "../../server/etcd-server.ts";
import type { ClusterFinder } from "../../server/members/join-cluster.ts";
import { noPeers } from "../../server/peers.ts";
import { ServerMetrics } from "../../server/server-metrics.ts";
import type { GrpcRoutes } from "../../transport/grpc.ts";
import { MemoryWal } from "../../wal/memory-wal.ts";
import { openWal, walExists } from "../../wal/open.ts";
import { openAuthentication } from "./authentication.ts";
import { clusterTokenOf, initialClusterOf } from "./discover.ts";
import { enableAuthorization } from "./enable-authorization.ts";
import { openPorts } from "./listen.ts";
import { localAddressOf } from "./local-address.ts";
import type { DataFolder } from "./open-data.ts";
import type { PeerPort } from "./peer-port.ts";
import { makeServed } from "./served.ts";
import { settingsOf } from "./settings.ts";
import { defragmentIfWorthIt } from "./start-defragmentation.ts";
import { openTls } from "./tls.ts";
import { startTracing } from "./tracing.ts";

/** How long running calls may go on when the server is told to stop. */
const shutdownGraceMs = 500;

/** How a server comes to an end that nobody asked for. */
export interface Ends {
  /** It cannot go on. */
  readonly onFatal: (error: Error) => void;
  /** It is no member of the cluster any more. */
  readonly onRemoved: () => void;
}

export interface StartOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly data: DataFolder;
  readonly ends: Ends;
  /** Whether there are, or will be, other members: a port for them is opened. */
  readonly peers: boolean;
}

export interface RunningServer {
  readonly server: EtcdServer;
  readonly routes: GrpcRoutes;
  readonly metrics: Metrics;
  /** The ports that clients were given; those of a configuration that says 0 are chosen by the system. */
  readonly clientPorts: readonly number[];
  /** Resolves when the server is part of its cluster. */
  readonly started: Promise<void>;
  /** How much it has done: for whoever wants to know whether it is quiet. */
  activity(): number;
  /** Hands over, finishes what is under way, and closes everything but the data folder. */
  stop(): Promise<void>;
}

/** What was opened so far, to be closed the other way round. */
type Closers = (() => Promise<void> | void)[];

/** Rejects with a ConfigError, or with the system's error; then nothing is left open but the data folder's lock. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { stores } = options.data;
  const closers: Closers = [() => stores.current.close(), () => stores.next?.close()];
  try {
    return await assemble(options, closers);
  } catch (error) {
    // Whatever cannot be closed either, the first error says what was wrong.
    for (const close of closers.reverse()) await Promise.resolve(close()).catch(() => {});
    throw error;
  }
}

async function assemble(options: StartOptions, closers: Closers): Promise<RunningServer> {
  const { config, logger, data, ends } = options;
  const metrics = new Metrics();
  const serverMetrics = new ServerMetrics(metrics);
  const tls = await openTls(config, logger, data.fixturesDir);
  const { snapshotDir } = data;
  const localAddress = localAddressOf(config, logger);
  const peerPort = options.peers
    ? await (await import("./peer-port.ts")).PeerPort.make({
        config,
        logger,
        metrics,
        snapshotDir,
        tls: tls.peer,
        localAddress,
      })
    : undefined;
  closers.push(() => peerPort?.stop(0));
  await defragmentIfWorthIt(config, logger, data);
  const surroundings = { config, logger, data, metrics: serverMetrics, ends, peerPort };
  const advertiseClientUrls = config.advertiseClientUrls.map(({ href }) => href);
  const authentication = await openAuthentication(config, logger);
  closers.push(() => authentication.close());
  const parts = { ...(await bootstrapOptions(surroundings, advertiseClientUrls)), authentication };
  const server = await bootstrap(parts);
  closers.push(() => server.stop());
  if (parts.hasLog && config.featureGates.InitialCorruptCheck) await checkInitialHash(server, logger);
  const tracer = await startTracing(config, logger);
  closers.push(() => tracer?.stop());
  const { served, health, versions } = makeServed({ config, logger, server, metrics, tracer });
  const ports = await openPorts(config, logger.at("cmd/serve/listen.ts"), served, tls.client);
  closers.push(() => ports.stop(0));
  fillInPorts(advertiseClientUrls, ports.clientPorts);
  await peerPort?.open(server, versions);
  registerTransportMetrics(metrics, ports.clients);
  const compactor = startAutoCompaction(config.autoCompaction, {
    clock: systemClock,
    logger: logger.at("server/auto-compaction/auto-compactor.ts"),
    revision: () => server.store.revision,
    isLeader: () => server.isLeader,
    compact: (revision) => server.compact(revision),
  });
  return {
    server,
    routes: served.routes,
    metrics,
    clientPorts: ports.clientPorts,
    started: start(server, config, logger),
    activity: () => server.raftStatus().appliedIndex + ports.clients.counters.streamsOpened,
    async stop() {
      health.set(false);
      compactor?.stop();
      await ports.stop(shutdownGraceMs);
      await server.stop();
      authentication.close();
      await peerPort?.stop(shutdownGraceMs);
      await tracer?.stop();
    },
  };
}

async function start(server: EtcdServer, config: Config, logger: Logger): Promise<void> {
  await server.start();
  if (config.enableAuthorization) await enableAuthorization(server, logger);
}

/** Port 0 is any that is free: once it is known, it is what others are told. */
function fillInPorts(urls: string[], ports: readonly number[]): void {
  for (const [at, url] of urls.entries()) {
    const port = ports[at];
    if (port !== undefined) urls[at] = url.replace(/:0$/, `:${port}`);
  }
}

interface Surroundings {
  readonly config: Config;
  readonly logger: Logger;
  readonly data: DataFolder;
  readonly metrics: ServerMetrics;
  readonly ends: Ends;
  /** Undefined for a member that stays alone. */
  readonly peerPort: PeerPort | undefined;
}

async function bootstrapOptions(
  around: Surroundings,
  advertiseClientUrls: readonly string[],
): Promise<BootstrapOptions> {
  const { config, logger, data, metrics, ends, peerPort } = around;
  const { logDir } = data;
  const others = peerPort && (await import("./cluster.ts"));
  return {
    settings: { ...settingsOf(config), advertiseClientUrls },
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
      const cluster = await initialClusterOf(config, logger);
      return new Map([...cluster].map(([name, urls]) => [name, urls.map((url) => url.href)]));
    },
    initialClusterToken: clusterTokenOf(config),
    forceNewCluster: config.forceNewCluster,
    bootstrapTimeoutMs: 1000,
    finder:
      others?.clusterFinder(logger, {
        dialTimeoutMs: 1_000 + config.electionTimeoutMs,
        resolve: resolveHost,
        tls: peerPort?.tls,
        localAddress: localAddressOf(config, logger),
      }) ?? noOthers,
    connect: (ids) => (others ? others.peersOf(peerPort.connect(ids), logger) : noPeers),
    maxLearners: config.maxLearners,
    minLeaseTtlSeconds: minLeaseTtlSeconds({
      heartbeatMs: config.heartbeatIntervalMs,
      electionTicks: config.electionTicks,
    }),
    raft: { preVote: config.preVote, keepEntries: config.snapshotCatchupEntries, randomBelow: randomInt },
    random64: () => randomBytes(8).readBigUInt64BE(),
    onFatal: ends.onFatal,
    onRemoved: ends.onRemoved,
  };
}

/** A member that stays alone asks nobody. */
const noOthers: ClusterFinder = {
  cluster: () => Promise.reject(new Error("a member without a peer port has no others to ask")),
  versions: () => Promise.reject(new Error("a member without a peer port has no others to ask")),
  sameUrls: async (a, b) => a.toSorted().join() === b.toSorted().join(),
};

async function checkInitialHash(server: EtcdServer, logger: Logger): Promise<void> {
  try {
    await server.checkInitialHash();
  } catch (error) {
    logger
      .at("cmd/serve/start-server.ts")
      .error("checkInitialHashKV failed", { error: (error as Error).message });
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

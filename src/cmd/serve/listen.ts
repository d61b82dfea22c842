/** Opens the ports that the configuration names: for clients and for scrapers. (For other members: peer-port.ts.) */
import type { Config } from "../../config/config.ts";
import type { EtcdUrl } from "../../lib/etcd-url.ts";
import type { Logger } from "../../lib/logger.ts";
import {
  type FetchHandler,
  type GrpcLimits,
  type GrpcRoutes,
  grpcOverheadBytes,
} from "../../transport/grpc.ts";
import type { CallRecords } from "../../transport/grpc-server/call-records.ts";
import { probeListen } from "../../transport/listen/probe.ts";
import { RpcServer, type TransportObserver } from "../../transport/rpc-server.ts";
import type { TlsIdentity } from "../../transport/tls/tls-identity.ts";
import { http2Debug } from "./http2-debug.ts";

export interface Served {
  readonly routes: GrpcRoutes;
  /** Everything that is not gRPC on the clients' ports. */
  readonly fetch: FetchHandler;
  /** The same for `--listen-metrics-urls`: metrics and health alone. */
  readonly fetchMetrics: FetchHandler;
  /** Of all calls, by gRPC and by other protocols. */
  readonly records: CallRecords;
}

export interface Ports {
  /** The server of the clients' ports, for its counters. */
  readonly clients: RpcServer;
  /** Of `--listen-client-urls` that are no files, in their order. */
  readonly clientPorts: readonly number[];
  /** Takes no more connections, and ends what is under way in so many milliseconds. */
  stop(graceMs: number): Promise<void>;
}

/** The largest message that a client may send. */
export const maxReceiveBytes = (config: Config): number => config.maxRequestBytes + grpcOverheadBytes;

/**
 * Rejects with the system's error if a port is taken. Asked first of all: who finds a port in use and begins again with
 * another has to find nothing on the disk that remembers the first one.
 */
export function probePorts(config: Config): Promise<void> {
  const { listenPeerUrls, listenClientUrls, listenClientHttpUrls, listenMetricsUrls } = config;
  const urls = [...listenPeerUrls, ...listenClientUrls, ...listenClientHttpUrls, ...listenMetricsUrls];
  return probeListen(
    urls.map(({ href }) => href),
    config.socketReusePort,
  );
}

/** Rejects with the system's error if one of them cannot be had; then none is kept. */
export async function openPorts(
  config: Config,
  logger: Logger,
  served: Served,
  tls: TlsIdentity | undefined,
): Promise<Ports> {
  const limits: GrpcLimits = {
    maxReceiveBytes: maxReceiveBytes(config),
    maxConcurrentStreams: config.maxConcurrentStreams,
    keepaliveMinTimeMs: config.grpcKeepaliveMinTimeMs,
    keepaliveIntervalMs: config.grpcKeepaliveIntervalMs,
    keepaliveTimeoutMs: config.grpcKeepaliveTimeoutMs,
  };
  if (config.socketReusePort || config.socketReuseAddress) {
    const fields = { "reuse-address": config.socketReuseAddress, "reuse-port": config.socketReusePort };
    logger.info("configuring socket options", fields);
  }
  const observer = observerOf(logger.at("transport/rpc-server.ts"));
  const noRoutes: GrpcRoutes = new Map();
  const serverOf = (routes: GrpcRoutes, fetch: FetchHandler, records?: CallRecords) =>
    new RpcServer({ routes, fetch, limits, observer, records });
  const separateHttp = config.listenClientHttpUrls.length > 0;
  const clients = serverOf(served.routes, separateHttp ? notFound : served.fetch, served.records);
  const plan = [
    { server: clients, urls: config.listenClientUrls, what: "client" },
    { server: serverOf(noRoutes, served.fetch), urls: config.listenClientHttpUrls, what: "client HTTP" },
    { server: serverOf(noRoutes, served.fetchMetrics), urls: config.listenMetricsUrls, what: "metrics" },
  ];
  const open: RpcServer[] = [];
  const clientPorts: number[] = [];
  try {
    for (const { server, urls, what } of plan) {
      if (urls.length === 0) continue;
      open.push(server);
      const listeners = await server.listenAll(
        urls.map(({ href }) => href),
        { tls, reusePort: config.socketReusePort },
      );
      if (server === clients) clientPorts.push(...listeners.flatMap(({ port }) => port ?? []));
      announce(logger, what, urls);
    }
  } catch (error) {
    await Promise.all(open.map((server) => server.shutdown(0)));
    throw error;
  }
  return {
    clients,
    clientPorts,
    stop: async (graceMs) => {
      await Promise.all(open.map((server) => server.shutdown(graceMs)));
    },
  };
}

function announce(logger: Logger, what: string, urls: readonly EtcdUrl[]): void {
  const [secure, plain] = [true, false].map((wanted) =>
    urls
      .filter(({ scheme }) => (scheme === "https" || scheme === "unixs") === wanted)
      .map(({ href }) => href),
  );
  if (plain!.length > 0) {
    logger.info(`serving ${what} traffic insecurely; this is strongly discouraged!`, { addresses: plain! });
  }
  if (secure!.length > 0) logger.info(`serving ${what} traffic securely`, { addresses: secure! });
}

const notFound: FetchHandler = () => new Response("404 page not found\n", { status: 404 });

function observerOf(logger: Logger): TransportObserver {
  return {
    onFault: (cause) => {
      logger.error("a handler failed", {
        error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      });
    },
    onConnectionError: (cause, peer) => {
      logger.warn("closed a connection", { "remote-addr": peer.address, error: cause.message });
    },
    onTlsError: (cause, remoteAddress) => {
      logger.warn("rejected connection on client endpoint", {
        "remote-addr": remoteAddress,
        error: cause.message,
      });
    },
    onWrongStart: (error, remoteAddress) => {
      logger.warn("rejected connection on client endpoint", { "remote-addr": remoteAddress, error });
    },
    ...http2Debug(process.env),
  };
}

/** A running gRPC proxy, put together from its flags. */
import type { ConnectionOptions } from "node:tls";
import { Channel } from "../../client/channel.ts";
import { Client } from "../../client/client.ts";
import type { Profiles } from "../../http/debug/pprof.ts";
import type { FlagValues } from "../../lib/command-line/flags.ts";
import type { Logger } from "../../lib/logger.ts";
import { Metrics } from "../../lib/metrics.ts";
import { registerTransportMetrics } from "../../rpc/transport-metrics.ts";
import type { CallTimes, FetchHandler, GrpcLimits } from "../../transport/grpc.ts";
import { CallRecords } from "../../transport/grpc-server/call-records.ts";
import { RpcServer, type TransportObserver } from "../../transport/rpc-server.ts";
import type { TlsIdentity } from "../../transport/tls/tls-identity.ts";
import { endpointsFrom, keepInSync } from "./endpoints.ts";
import { createProxyHttp } from "./http/app.ts";
import { fetchServerMetrics } from "./http/server-metrics.ts";
import { KnownProxies } from "./members/known-proxies.ts";
import { keepRegistered } from "./members/register.ts";
import { Namespace } from "./namespace/namespace.ts";
import { proxyMetrics } from "./proxy-metrics.ts";
import { createProxyRoutes } from "./routes.ts";
import { dialTls, listenTls } from "./tls.ts";
import { Upstream } from "./upstream.ts";
import type { WatchHub } from "./watch/watch-hub.ts";

/** What belongs to the process and not to the proxy. */
export interface ProxyEnvironment {
  readonly registerMetrics?: (metrics: Metrics) => void;
  readonly profiles?: () => Promise<Profiles>;
}

export interface RunningProxy {
  /** Where clients connect. */
  readonly port: number | undefined;
  readonly metricsPort: number | undefined;
  readonly watches: WatchHub;
  /** For tests: ends the connections to the servers, which are made again. */
  dropConnections(): void;
  /** Ends what is under way in so many milliseconds. */
  stop(graceMs: number): Promise<void>;
}

/** As grpc-go's servers have it, if the servers take no more. */
const receiveBytesMin = 4 * 1024 * 1024;
/** A server that is pinged more often ends the connection; grpc-go does not do it either. */
const pingMsMin = 10_000;
const selfTimeoutMs = 5_000;

/** Resolves when it serves. Rejects with what is wrong with files or addresses. */
export async function startProxy(
  flags: FlagValues,
  logger: Logger,
  environment: ProxyEnvironment = {},
): Promise<RunningProxy> {
  const tls = await listenTls(flags, logger);
  const dial = await dialTls(flags, logger);
  const endpoints = await endpointsFrom(flags);
  const channel = new Channel(endpoints, channelOptions(flags, dial));
  const client = new Client({ endpoints, channel });
  const metrics = new Metrics();
  const self = await selfClient(flags, tls);
  const ended = new AbortController();
  const close = (): void => {
    ended.abort();
    self?.close();
    channel.close();
  };
  try {
    const resolver = makeResolver({ flags, client, logger, signal: ended.signal });
    const name = flags.string("namespace");
    const { routes, watches } = createProxyRoutes({
      upstream: new Upstream(channel),
      metrics: proxyMetrics(metrics),
      namespace: name === "" ? undefined : new Namespace(name),
      advertiseClientUrl: flags.string("advertise-client-url"),
      knownProxies: resolver?.knownProxies,
    });
    const http = { client, self, metrics, logger, serverMetrics: () => anyServerMetrics(channel, dial) };
    const { profiles } = environment;
    const fetch = createProxyHttp(flags.bool("enable-pprof") ? { ...http, profiles } : http);
    const server = new RpcServer({
      routes,
      fetch,
      observer: observerOf(logger),
      limits: limitsFrom(flags),
      records: new CallRecords(routes.keys(), timesFor(flags, logger)),
    });
    registerTransportMetrics(metrics, server);
    environment.registerMetrics?.(metrics);
    const { servers, port, metricsPort } = await listen(flags, logger, server, {
      fetch: createProxyHttp(http),
      tls,
    });
    resolver?.start();
    const endSync = keepInSync(client, flags.durationMs("endpoints-auto-sync-interval"), logger);
    return {
      port,
      metricsPort,
      watches,
      dropConnections: () => reconnect(channel),
      stop: async (graceMs) => {
        endSync();
        ended.abort();
        await Promise.all([resolver?.ended(), ...servers.map((one) => one.shutdown(graceMs))]);
        close();
        logger.info("stop listening gRPC proxy client requests", { address: flags.string("listen-addr") });
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** `--resolver-prefix`: who is there, and that we are; undefined without. */
function makeResolver(parts: {
  readonly flags: FlagValues;
  readonly client: Client;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}) {
  const { flags, client, logger, signal } = parts;
  if (flags.string("resolver-prefix") === "") return undefined;
  const prefix = `${flags.string("namespace")}${flags.string("resolver-prefix")}`;
  const knownProxies = new KnownProxies({ client, logger, prefix, signal });
  const address = flags.string("advertise-client-url");
  const ttlSeconds = Number(flags.int("resolver-ttl"));
  let running: Promise<unknown> | undefined;
  return {
    knownProxies,
    start: () => {
      const registered = keepRegistered({ client, logger, prefix, address, ttlSeconds, signal });
      running = Promise.all([registered, knownProxies.follow()]);
    },
    /** The registration has been taken back. */
    ended: () => running,
  };
}

function reconnect(channel: Channel): void {
  const { endpoints } = channel;
  channel.setEndpoints(["127.0.0.1:1"]);
  channel.setEndpoints(endpoints);
}

function channelOptions(flags: FlagValues, tls: ConnectionOptions | undefined) {
  const pingMs = flags.durationMs("dial-keepalive-time");
  const send = Number(flags.int("max-send-bytes"));
  const receive = Number(flags.int("max-recv-bytes"));
  return {
    tls,
    keepAlive: {
      timeMs: pingMs > 0 ? Math.max(pingMsMin, pingMs) : 0,
      timeoutMs: flags.durationMs("dial-keepalive-timeout"),
      withoutCalls: flags.bool("permit-without-stream"),
    },
    ...(send > 0 ? { maxSendBytes: send } : {}),
    ...(receive > 0 ? { maxReceiveBytes: receive } : {}),
  };
}

function limitsFrom(flags: FlagValues): GrpcLimits {
  return {
    maxReceiveBytes: Math.max(receiveBytesMin, Number(flags.int("max-send-bytes"))),
    maxConcurrentStreams: Number(flags.uint("max-concurrent-streams")),
    keepaliveMinTimeMs: flags.durationMs("grpc-keepalive-min-time"),
    keepaliveIntervalMs: flags.durationMs("grpc-keepalive-interval"),
    keepaliveTimeoutMs: flags.durationMs("grpc-keepalive-timeout"),
  };
}

/** `--experimental-enable-grpc-logging`: every call with one request is told. */
function timesFor(flags: FlagValues, logger: Logger): CallTimes | undefined {
  if (!flags.bool("experimental-enable-grpc-logging")) return undefined;
  return {
    now: () => performance.now(),
    histogramOf: () => undefined,
    slowMs: -1,
    onSlow: ({ path, peer, tookMs, request, response }) =>
      logger.info("finished call", {
        "grpc.method": path,
        "peer.address": peer.address,
        "grpc.time_ms": Math.round(tookMs * 1000) / 1000,
        "request-bytes": request.length,
        "response-bytes": response.reduce((sum, part) => sum + part.length, 0),
      }),
  };
}

/** Asks the proxy itself, as its clients do. */
async function selfClient(flags: FlagValues, tls: TlsIdentity | undefined): Promise<Client | undefined> {
  const url = flags.string("advertise-client-url");
  if (url === "") return undefined;
  const options = { endpoints: [url], connectTimeoutMs: selfTimeoutMs };
  return new Client(tls === undefined ? options : { ...options, tls: await tls.clientOptions() });
}

function anyServerMetrics(channel: Channel, tls: ConnectionOptions | undefined): Promise<string> {
  const { endpoints } = channel;
  return fetchServerMetrics(endpoints[Math.floor(Math.random() * endpoints.length)]!, tls);
}

function observerOf(logger: Logger): TransportObserver {
  const refused = "rejected connection on proxy endpoint";
  return {
    onFault: (cause) => {
      const error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      logger.error("a handler failed", { error });
    },
    onConnectionError: (cause, peer) =>
      logger.warn("closed a connection", { "remote-addr": peer.address, error: cause.message }),
    onTlsError: (cause, address) => logger.warn(refused, { "remote-addr": address, error: cause.message }),
    onWrongStart: (error, address) => logger.warn(refused, { "remote-addr": address, error }),
  };
}

async function listen(
  flags: FlagValues,
  logger: Logger,
  server: RpcServer,
  beside: { readonly fetch: FetchHandler; readonly tls: TlsIdentity | undefined },
) {
  const { fetch, tls } = beside;
  const servers = [server];
  const address = flags.string("listen-addr");
  const metricsUrl = flags.string("metrics-addr");
  try {
    const { port } = await server.listen(`${tls === undefined ? "http" : "https"}://${address}`, tls);
    logger.info("listening for gRPC proxy client requests", { address });
    let metricsPort: number | undefined;
    if (metricsUrl !== "") {
      const metricsServer = new RpcServer({ routes: new Map(), fetch, limits: limitsFrom(flags) });
      servers.push(metricsServer);
      ({ port: metricsPort } = await metricsServer.listen(metricsUrl, tls));
      logger.info("gRPC proxy listening for metrics", { address: metricsUrl });
      logger.info("gRPC proxy server metrics URL serving");
    }
    return { servers, port, metricsPort };
  } catch (error) {
    await Promise.all(servers.map((one) => one.shutdown(0)));
    throw error;
  }
}

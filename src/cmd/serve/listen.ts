/** Opens the ports that the configuration names. */
import type { Config } from "../../config/config.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Metrics } from "../../lib/metrics.ts";
import type { FetchHandler, GrpcRoutes } from "../../transport/grpc.ts";
import { RpcServer } from "../../transport/rpc-server.ts";

export interface Served {
  readonly routes: GrpcRoutes;
  readonly fetch: FetchHandler;
  readonly metrics: Metrics;
}

/** What grpc adds around a request of the largest allowed size. */
const grpcOverheadBytes = 512 * 1024;

export async function startListening(
  config: Config,
  logger: Logger,
  served: Served,
): Promise<{ stop(): Promise<void> }> {
  const server = new RpcServer({
    routes: served.routes,
    fetch: served.fetch,
    limits: {
      maxReceiveBytes: config.maxRequestBytes + grpcOverheadBytes,
      maxConcurrentStreams: config.maxConcurrentStreams,
      keepaliveMinTimeMs: config.grpcKeepaliveMinTimeMs,
      keepaliveIntervalMs: config.grpcKeepaliveIntervalMs,
      keepaliveTimeoutMs: config.grpcKeepaliveTimeoutMs,
    },
    onError: (cause) => {
      logger
        .at("transport")
        .error("a handler failed", { error: cause instanceof Error ? (cause.stack ?? "") : String(cause) });
    },
  });
  for (const url of config.listenClientUrls) await server.listen(url.port);
  return { stop: async () => {} };
}

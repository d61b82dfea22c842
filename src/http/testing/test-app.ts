/** A whole server in memory, on the machine's clock, with its HTTP side on a loopback port. */
import { Metrics } from "../../lib/metrics.ts";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import { HealthStatus } from "../../rpc/health.ts";
import { createRoutes, services } from "../../rpc/services.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import { startTestServer } from "../../server/testing/test-server.ts";
import type { GrpcRoutes } from "../../transport/grpc.ts";
import { TestServer } from "../../transport/testing/test-server.ts";
import { MemoryWal } from "../../wal/memory-wal.ts";
import { createHttpHandler, type HttpOptions } from "../app.ts";

export const maxReceiveBytes = 2 * 1024 * 1024;

export interface TestApp {
  readonly url: string;
  readonly routes: GrpcRoutes;
  stop(): Promise<void>;
}

export async function startTestApp(
  options: Partial<HttpOptions> & { readonly wrapRoutes?: (routes: GrpcRoutes) => GrpcRoutes } = {},
): Promise<TestApp> {
  const { server } = await startTestServer({
    clock: systemClock,
    openLog: async (metadata) => ({
      wal: new MemoryWal(systemClock),
      contents: {
        metadata,
        hardState: undefined,
        snapshot: undefined,
        entries: [],
        lastIndex: 0 as never,
        lastTerm: 0 as never,
        created: true,
      },
    }),
  });
  const { wrapRoutes = (routes) => routes } = options;
  const routes = wrapRoutes(createRoutes(server, new HealthStatus()));
  const fetch = createHttpHandler({
    services,
    routes,
    metrics: new Metrics(),
    logger: silentLogger,
    health: {
      alarms: () => [],
      hasLeader: () => true,
      isLearner: () => false,
      tryRead: async () => {},
    },
    versions: () => ({ etcdserver: "3.7.3", etcdcluster: "3.7.0", storage: "3.7.0" }),
    cors: ["*"],
    hostWhitelist: ["*"],
    gateway: true,
    maxReceiveBytes,
    ...options,
  });
  const http = await TestServer.start({ routes, fetch });
  return {
    url: `http://127.0.0.1:${http.port}`,
    routes,
    async stop() {
      await http.stop();
      await server.stop();
    },
  };
}

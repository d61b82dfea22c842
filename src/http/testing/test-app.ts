/** A whole server in memory, on the machine's clock, with its HTTP side on a loopback port. */
import { Metrics } from "../../lib/metrics.ts";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import { HealthStatus } from "../../rpc/health.ts";
import { createRoutes, services } from "../../rpc/services.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import { newLog, startTestServer } from "../../server/testing/test-server.ts";
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

/** What the HTTP side of a server in a test is made with: all is well, and everybody may call. */
export function testHttpOptions(routes: GrpcRoutes): HttpOptions {
  return {
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
  };
}

export async function startTestApp(
  options: Partial<HttpOptions> & { readonly wrapRoutes?: (routes: GrpcRoutes) => GrpcRoutes } = {},
): Promise<TestApp> {
  const { server } = await startTestServer({
    clock: systemClock,
    openLog: newLog(new MemoryWal(systemClock)),
  });
  const { wrapRoutes = (routes) => routes } = options;
  const routes = wrapRoutes(createRoutes(server, new HealthStatus()));
  const fetch = createHttpHandler({ ...testHttpOptions(routes), ...options });
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

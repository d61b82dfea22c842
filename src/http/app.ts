/**
 * Everything on the port that is not gRPC: health, metrics, version, the JSON gateway. A Hono application, so that it
 * can be tried without a socket (`app.request("/version")`).
 */
import type { DescService } from "@bufbuild/protobuf";
import { type Context, Hono } from "hono";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { GrpcRoutes, Peer } from "../transport/grpc.ts";
import { addConnect } from "./connect/connect.ts";
import { allowOrigin } from "./cors.ts";
import { addHealth, type HealthSource, refuseOtherMethods } from "./health.ts";
import { addGateway } from "./json/gateway.ts";

export interface HttpOptions {
  readonly services: readonly DescService[];
  readonly routes: GrpcRoutes;
  readonly health: HealthSource;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** What /version says. */
  readonly versions: () => { etcdserver: string; etcdcluster: string; storage: string };
  /** `--cors`: the origins that may call, `*` for all. */
  readonly cors: readonly string[];
  /** Whether gRPC-web and Connect are served: on clients' ports, not on those for metrics alone. */
  readonly serveRpc: boolean;
  /** `--enable-grpc-gateway`. */
  readonly gateway: boolean;
  /** A larger request message is refused, as over gRPC. */
  readonly maxReceiveBytes: number;
}

type Bindings = { peer: Peer };

/** What `transport` calls for each request. */
export function createHttpHandler(
  options: HttpOptions,
): (request: Request, peer: Peer) => Response | Promise<Response> {
  const app = new Hono();
  app.use(async (context, next) => {
    if (context.req.method === "OPTIONS")
      return allowOrigin(context, options.cors, new Response(null, { status: 200 }));
    await next();
    allowOrigin(context, options.cors, context.res);
    return undefined;
  });

  app.get("/version", (context) =>
    context.body(JSON.stringify(options.versions()), 200, { "Content-Type": "application/json" }),
  );
  refuseOtherMethods(app, "/version");
  app.get("/metrics", (context) =>
    context.body(options.metrics.expose(), 200, {
      "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
    }),
  );
  addHealth(app, options.health, options.metrics, options.logger);
  const peerOf = (context: Context) => (context.env as Bindings).peer;
  if (options.serveRpc) addConnect(app, { ...options, peerOf });
  if (options.gateway) addGateway(app, { ...options, peerOf });
  app.notFound((context) =>
    context.body("404 page not found\n", 404, {
      "Content-Type": "text/plain; charset=utf-8",
      "X-Content-Type-Options": "nosniff",
    }),
  );
  app.onError((error, context) => {
    options.logger.warn("failed to answer an HTTP request", { path: context.req.path, error: error.message });
    return context.text("Internal Server Error\n", 500);
  });
  return (request, peer) => app.fetch(request, { peer } satisfies Bindings);
}

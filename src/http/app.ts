/**
 * Everything on the port that is not gRPC: health, metrics, version, the JSON gateway. A Hono application, so that it
 * can be tried without a socket (`app.request("/version")`).
 */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { ServiceTable } from "../codec/message-table.ts";
import type { Logger } from "../lib/logger.ts";
import type { Metrics } from "../lib/metrics.ts";
import type { FetchHandler, GrpcRoutes, Peer, WebSocketGuard } from "../transport/grpc.ts";
import type { CallRecords } from "../transport/grpc-server/call-records.ts";
import { addConsole, type ConsoleOptions } from "./console/console.ts";
import { allowOrigin, isOriginAllowed } from "./cors.ts";
import { addPprof, type Profiles } from "./debug/pprof.ts";
import { addVariables, type Variables } from "./debug/vars.ts";
import { addHealth, type HealthSource, refuseOtherMethods } from "./health.ts";
import { checkHost } from "./host-whitelist.ts";
import { redirectToCleanPath } from "./redirect.ts";
import { addScrape } from "./scrape.ts";
import { addServices } from "./services.ts";
import { refusal, wholeText } from "./whole-text.ts";

export interface HttpOptions {
  readonly services: readonly ServiceTable[];
  readonly routes: GrpcRoutes;
  readonly health: HealthSource;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Where the calls of those are counted that do not speak gRPC. */
  readonly records?: CallRecords | undefined;
  /** Whether who calls has to be somebody. */
  readonly isAuthEnabled?: () => boolean;
  /** What /version says. */
  readonly versions: () => { etcdserver: string; etcdcluster: string; storage: string };
  /** `--cors`: the origins that may call, `*` for all. */
  readonly cors: readonly string[];
  /** `--host-whitelist`. */
  readonly hostWhitelist: readonly string[];
  /** What /debug/vars shows. */
  readonly variables?: Variables;
  /** `--enable-pprof`: how profiles are taken. */
  readonly profiles?: (() => Promise<Profiles>) | undefined;
  /** `--enable-grpc-gateway`. */
  readonly gateway: boolean;
  /** `--enable-console`: undefined without. */
  readonly console?: ConsoleOptions | undefined;
  /** A larger request message is refused, as over gRPC. */
  readonly maxReceiveBytes: number;
}

type Bindings = { peer: Peer };

/** What `transport` calls for each request. */
export function createHttpHandler(options: HttpOptions): FetchHandler {
  const app = guardedApp(options);
  app.get("/version", () =>
    wholeText(JSON.stringify(options.versions()), 200, { "Content-Type": "application/json" }),
  );
  refuseOtherMethods(app, "/version");
  addScrape(app, options.metrics);
  addHealth(app, options.health, options.metrics, options.logger);
  addVariables(app, options.variables ?? {});
  if (options.profiles) addPprof(app, options.profiles);
  if (options.console) addConsole(app, options.console);
  addServices(app, options, answerUnknown);
  const handler = finish(app, options.logger);
  return options.gateway ? Object.assign(handler, { webSockets: createGuard(options) }) : handler;
}

/** What is asked of every request, whatever it is for. */
function guardedApp(options: HttpOptions): Hono {
  const app = new Hono();
  const peerOf = (context: Context) => (context.env as Bindings).peer;
  app.use(checkHost(options.hostWhitelist, (context) => peerOf(context).secure, options.logger));
  if (options.gateway) {
    const refuseNames: MiddlewareHandler = async (context, next) => {
      // As etcd's: its gateway would speak for the client with a certificate of its own.
      const named = peerOf(context).certificateCommonName !== undefined;
      if (named && options.isAuthEnabled?.() === true) return refuseCommonName();
      return next();
    };
    app.use("/v3/*", refuseNames);
    app.use("/v3beta/*", refuseNames);
  }
  app.use(async (context, next) => {
    if (context.req.method === "OPTIONS") return allowOrigin(context, options.cors, wholeText("", 200));
    await next();
    allowOrigin(context, options.cors, context.res);
    return undefined;
  });
  app.use(redirectToCleanPath(options.gateway));
  return app;
}

/**
 * The gateway's paths have WebSockets, for whoever may use the gateway. Browsers hold pages of other origins off an
 * answer without CORS fields, but not off a WebSocket: here we do, where etcd lets all of them in.
 */
function createGuard(options: HttpOptions): WebSocketGuard {
  const app = guardedApp(options);
  app.use(async (context, next) => {
    return isOriginAllowed(context, options.cors)
      ? next()
      : refusal("403 origin not allowed by --cors\n", 403);
  });
  app.all("*", () => new Response(null, { status: 204 }));
  return {
    hasPath: (path) => path.startsWith("/v3/") || path.startsWith("/v3beta/"),
    check: async (request, peer) => {
      const response = await app.fetch(request, { peer } satisfies Bindings);
      return response.status === 204 ? undefined : response;
    },
  };
}

/** What `transport` calls for each request on `--listen-metrics-urls`: metrics and health, for everybody. */
export function createMetricsHandler(
  options: Pick<HttpOptions, "metrics" | "health" | "logger">,
): FetchHandler {
  const app = new Hono();
  addScrape(app, options.metrics);
  addHealth(app, options.health, options.metrics, options.logger);
  return finish(app, options.logger);
}

function refuseCommonName(): Response {
  const text =
    "CommonName of client sending a request against gateway will be ignored and not used as expected\n";
  return refusal(text, 400);
}

function answerUnknown(app: Hono): void {
  app.notFound(() => refusal("404 page not found\n", 404));
}

function finish(app: Hono, logger: Logger): FetchHandler {
  answerUnknown(app);
  app.onError((error, context) => {
    logger.warn("failed to answer an HTTP request", { path: context.req.path, error: error.message });
    return refusal("Internal Server Error\n", 500);
  });
  return (request, peer) => app.fetch(request, { peer } satisfies Bindings);
}

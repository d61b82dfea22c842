/** What the proxy answers beside gRPC: whether it and the servers are well, and what they count. */
import { Hono } from "hono";
import type { Client } from "../../../client/client.ts";
import { ClientError } from "../../../client/client-error.ts";
import { range } from "../../../client/methods/kv.ts";
import { Watcher } from "../../../client/watcher.ts";
import { errors } from "../../../errors/table.ts";
import { addPprof, type Profiles } from "../../../http/debug/pprof.ts";
import { refuseOtherMethods } from "../../../http/health.ts";
import { refusal, wholeText } from "../../../http/whole-text.ts";
import type { Logger } from "../../../lib/logger.ts";
import type { Metrics } from "../../../lib/metrics.ts";
import { PatientTimer } from "../../../lib/patient-timer.ts";
import type { FetchHandler } from "../../../transport/grpc.ts";

const readTimeoutMs = 1_000;
const watchTimeoutMs = 3_000;
/** Read to see whether reading works; it need not be there. */
const probeKey = Buffer.from("a");

export interface ProxyHttpOptions {
  /** Of the servers behind the proxy. */
  readonly client: Client;
  /** Of the proxy itself, by the address that its clients use; undefined without such an address. */
  readonly self: Client | undefined;
  readonly metrics: Metrics;
  /** What a server's /metrics says. Rejects if none says anything. */
  readonly serverMetrics: () => Promise<string>;
  readonly logger: Logger;
  readonly profiles?: (() => Promise<Profiles>) | undefined;
}

export function createProxyHttp(options: ProxyHttpOptions): FetchHandler {
  const { client, self, metrics, serverMetrics, logger, profiles } = options;
  const app = new Hono();
  const type = { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" };
  app.get("/metrics", async (context) => {
    try {
      return context.body(await serverMetrics(), 200, type);
    } catch {
      return context.text("Internal server error\n", 500);
    }
  });
  app.get("/proxy/metrics", (context) => context.body(metrics.expose(), 200, type));
  const success = metrics.counter(
    "etcd_server_health_success",
    "The total number of successful health checks",
  );
  const failures = metrics.counter("etcd_server_health_failures", "The total number of failed health checks");
  const answer = (reason: string): Response => {
    const body = JSON.stringify({ health: reason === "" ? "true" : "false", reason });
    (reason === "" ? success : failures).inc();
    if (reason === "") return wholeText(body);
    logger.warn("/health error", { output: body, "status-code": 503 });
    return wholeText(`${body}\n`, 503);
  };
  app.get("/health", async () => answer(await whyNotHealthy(client)));
  app.get("/proxy/health", async () => answer(await whyNotWorking(self)));
  for (const path of ["/health", "/proxy/health"]) refuseOtherMethods(app, path);
  if (profiles !== undefined) addPprof(app, profiles);
  app.notFound(() => refusal("404 page not found\n", 404));
  return (request) => app.fetch(request);
}

/** Empty if all is well: also when nobody in particular may not read. */
async function whyNotHealthy(client: Client): Promise<string> {
  try {
    await client.unary(range, { key: probeKey }, { timeoutMs: readTimeoutMs });
    return "";
  } catch (error) {
    const isRefused = error instanceof ClientError && error.text === errors.permissionDenied.text;
    return isRefused ? "" : `GET ERROR:${(error as Error).message}`;
  }
}

async function whyNotWorking(self: Client | undefined): Promise<string> {
  if (self === undefined) return "no connection to proxy";
  const reason = await whyNotHealthy(self);
  return reason === "" ? whyNotWatching(self) : reason;
}

/** A watch is answered at once, whether or not it is allowed. */
async function whyNotWatching(self: Client): Promise<string> {
  const watcher = new Watcher(self, { requireLeader: false });
  const answered = Promise.withResolvers<string>();
  const timer = new PatientTimer(watchTimeoutMs, () => answered.resolve("WATCH TIMEOUT"));
  const watch = watcher.watch({ key: probeKey });
  const poll = setInterval(() => {
    if (watch.id !== undefined) answered.resolve("");
  }, 5);
  void watch.next().then(() => answered.resolve(""));
  try {
    return await answered.promise;
  } finally {
    timer.cancel();
    clearInterval(poll);
    watcher.close();
  }
}

/** /health, /livez and /readyz, as etcd answers them. */
import type { Context, Hono } from "hono";
import type { Logger } from "../lib/logger.ts";
import type { Counter, Gauge, Metrics } from "../lib/metrics.ts";
import { refusal, wholeText } from "./whole-text.ts";

/** What the checks ask of the server. */
export interface HealthSource {
  /** The names of raised alarms: "NOSPACE", "CORRUPT". */
  alarms(): readonly string[];
  hasLeader(): boolean;
  isLearner(): boolean;
  /** Reads a key; rejects if that cannot be done in the time of a request. */
  tryRead(serializable: boolean): Promise<void>;
}

type Check = () => Promise<void>;

/** Adds the endpoints to `app`. */
export function addHealth(app: Hono, source: HealthSource, metrics: Metrics, logger: Logger): void {
  const success = metrics.counter(
    "etcd_server_health_success",
    "The total number of successful health checks",
  );
  const failures = metrics.counter("etcd_server_health_failures", "The total number of failed health checks");

  app.get("/health", async (context) => {
    const reason = await healthReason(context, source);
    const body = JSON.stringify({ health: reason === "" ? "true" : "false", reason });
    (reason === "" ? success : failures).inc();
    if (reason === "") return wholeText(body);
    logger.warn("/health error", { output: body, "status-code": 503 });
    return refusal(`${body}\n`, 503);
  });
  refuseOtherMethods(app, "/health");

  const serializableRead: Check = () => source.tryRead(true);
  addChecks(app, "livez", { serializable_read: serializableRead }, metrics);
  addChecks(
    app,
    "readyz",
    {
      data_corruption: async () => {
        if (source.alarms().includes("CORRUPT")) throw new Error("alarm activated: CORRUPT");
      },
      serializable_read: serializableRead,
      linearizable_read: () => source.tryRead(false),
      non_learner: async () => {
        if (source.isLearner()) throw new Error("not supported for learner");
      },
    },
    metrics,
  );
}

/** The reason why this member is not healthy, empty if it is. */
async function healthReason(context: Context, source: HealthSource): Promise<string> {
  const excluded = new Set(context.req.queries("exclude"));
  const serializable = context.req.query("serializable") === "true";
  const alarm = source.alarms().find((name) => !excluded.has(name));
  if (alarm) return `ALARM ${alarm}`;
  if (!serializable && !source.hasLeader()) return "RAFT NO LEADER";
  try {
    await source.tryRead(serializable);
    return "";
  } catch (error) {
    return `RANGE ERROR:${error instanceof Error ? error.message : error}`;
  }
}

function addChecks(app: Hono, type: string, checks: Record<string, Check>, metrics: Metrics): void {
  const recorders = new Map(
    Object.keys(checks).map((name) => [name, new CheckRecorder(metrics, type, name)]),
  );
  const run = async (context: Context, names: string[]): Promise<Response> => {
    let lines = "";
    let failed = false;
    for (const name of names) {
      const error = await checks[name]!().then(
        () => undefined,
        (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)),
      );
      lines += error === undefined ? `[+]${name} ok\n` : `[-]${name} failed: ${error}\n`;
      failed ||= error !== undefined;
      recorders.get(name)!.record(error === undefined);
    }
    if (failed) return refusal(`${lines}\n`, 503);
    return refusal(context.req.query("verbose") === undefined ? "ok\n" : `${lines}ok\n`, 200);
  };
  app.get(`/${type}`, (context) => {
    const excluded = new Set(context.req.queries("exclude"));
    return run(
      context,
      Object.keys(checks).filter((name) => !excluded.has(name)),
    );
  });
  refuseOtherMethods(app, `/${type}`);
  for (const name of Object.keys(checks)) {
    app.get(`/${type}/${name}`, (context) => run(context, [name]));
    refuseOtherMethods(app, `/${type}/${name}`);
  }
}

class CheckRecorder {
  readonly #gauge: Gauge;
  readonly #success: Counter;
  readonly #error: Counter;

  constructor(metrics: Metrics, type: string, name: string) {
    this.#gauge = metrics.gauge("etcd_server_healthcheck", "The result of each kind of healthcheck.", {
      type,
      name,
    });
    const total = "etcd_server_healthchecks_total";
    const help = "The total number of each kind of healthcheck.";
    this.#success = metrics.counter(total, help, { type, name, status: "success" });
    this.#error = metrics.counter(total, help, { type, name, status: "error" });
  }

  record(ok: boolean): void {
    this.#gauge.set(ok ? 1 : 0);
    (ok ? this.#success : this.#error).inc();
  }
}

/** 405, in the words of Go's http.Error. */
export function refuseOtherMethods(app: Hono, path: string): void {
  app.all(path, () => refusal("Method Not Allowed\n", 405, { Allow: "GET" }));
}

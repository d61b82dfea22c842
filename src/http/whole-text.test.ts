import assert from "node:assert/strict";
import { it } from "node:test";
import { Hono } from "hono";
import { createLogger } from "../lib/logger.ts";
import { Metrics } from "../lib/metrics.ts";
import { addHealth } from "./health.ts";

const logger = createLogger({ sink: { write() {} }, wallMs: () => 0, level: "info", caller: "test" });

it("answers probes in one piece, with its length and type", async () => {
  const app = new Hono();
  let alarms: readonly string[] = [];
  const source = {
    alarms: () => alarms,
    hasLeader: () => true,
    isLearner: () => false,
    tryRead: async () => {},
  };
  addHealth(app, source, new Metrics(), logger);
  const ask = async (path: string, method = "GET") => {
    const { status, headers, ...response } = await whole(await app.request(path, { method }));
    assert.equal(headers.get("content-length"), String(response.text.length));
    assert.equal(headers.get("content-type"), "text/plain; charset=utf-8");
    return [status, response.text, headers.get("x-content-type-options")];
  };
  assert.deepEqual(await ask("/health"), [200, '{"health":"true","reason":""}', null]);
  assert.deepEqual(await ask("/livez"), [200, "ok\n", "nosniff"]);
  assert.deepEqual(await ask("/health", "POST"), [405, "Method Not Allowed\n", "nosniff"]);
  alarms = ["CORRUPT"];
  assert.deepEqual(await ask("/health"), [503, '{"health":"false","reason":"ALARM CORRUPT"}\n', "nosniff"]);
  const [status, text] = await ask("/readyz?exclude=serializable_read");
  assert.equal(status, 503);
  assert.match(String(text), /^\[-\]data_corruption failed: alarm activated: CORRUPT\n/);
});

async function whole(response: Response) {
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** A server with nearly every flag set to something else than its default: it serves, and no flag is passed over. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { entries } from "../../src/config/config.ts";
import { httpGet, postJson } from "../support/http.ts";
import { freePort } from "../support/ports.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { startFromSource } from "../support/source-server.ts";

/** Values that change what a server does without making it another kind of server. */
const values: Readonly<Record<string, string>> = {
  "snapshot-count": "500",
  "heartbeat-interval": "50",
  "election-timeout": "600",
  "initial-election-tick-advance": "false",
  "max-wals": "3",
  "quota-backend-bytes": "100000000",
  "max-txn-ops": "5",
  "max-request-bytes": "100000",
  "max-concurrent-streams": "50",
  "grpc-keepalive-min-time": "1s",
  "grpc-keepalive-interval": "1h",
  "grpc-keepalive-timeout": "10s",
  "raft-read-timeout": "6s",
  "raft-write-timeout": "7s",
  "strict-reconfig-check": "false",
  "pre-vote": "false",
  "auto-compaction-retention": "1000",
  "auto-compaction-mode": "revision",
  cors: "http://page.example:8080",
  "host-whitelist": "localhost,127.0.0.1",
  "enable-pprof": "true",
  metrics: "extensive",
  "log-level": "debug",
  "enable-log-rotation": "true",
  "log-rotation-config-json": '{"maxsize": 1, "maxbackups": 2, "compress": true}',
  "warning-unary-request-duration": "1s",
  "warning-apply-duration": "1us",
  "compaction-batch-limit": "10",
  "compaction-sleep-interval": "1ms",
  "watch-progress-notify-interval": "1m",
  "bootstrap-defrag-threshold-megabytes": "1",
  "max-learners": "2",
  "snapshot-catchup-entries": "100",
  "unsafe-no-fsync": "true",
};

/** Processes start slowly on a machine that does other things. */
const slow = { timeout: 120_000 };

describe("a server with many flags", () => {
  let folder = "";
  let server: ServerProcess;
  let metricsPort = 0;
  const logFile = () => join(folder, "etcd.log");

  // A test and not a hook, because not every runtime lets a hook take long.
  it("starts", slow, async () => {
    folder = mkdtempSync(join(tmpdir(), "etclite-flags-"));
    metricsPort = await freePort();
    server = await startFromSource({
      folder,
      flags: [
        ...Object.entries(values).map(([name, value]) => `--${name}=${value}`),
        `--listen-metrics-urls=http://127.0.0.1:${metricsPort}`,
        `--log-outputs=${logFile()}`,
      ],
    });
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const lines = () =>
    readFileSync(logFile(), "utf8")
      .split("\n")
      .slice(0, -1) // what follows the last end of a line may be half a line
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it("passes no flag over that the tables say works", () => {
    for (const name of Object.keys(values)) {
      const entry = entries.find(([, option]) => option.flag === name);
      assert.equal(entry?.[1].status.is, "works", name);
    }
    const warned = lines().filter(({ msg }) => /no effect|not (yet )?supported/.test(String(msg)));
    assert.deepEqual(warned, []);
  });

  it("serves metrics and health, and nothing else, on --listen-metrics-urls", async () => {
    assert.match((await httpGet(metricsPort, "/metrics")).body, /^grpc_server_handling_seconds_bucket/m);
    assert.equal((await httpGet(metricsPort, "/health")).status, 200);
    assert.equal((await httpGet(metricsPort, "/version")).status, 404);
    assert.equal((await httpGet(metricsPort, "/debug/pprof/")).status, 404);
    assert.equal((await httpGet(server.clientPort, "/debug/pprof/")).status, 200);
  });

  it("answers other origins and hosts as etcd does", async () => {
    const origin = async (name: string) => {
      const response = await fetch(`${server.url}/version`, { headers: { Origin: name } });
      return response.headers.get("access-control-allow-origin");
    };
    assert.equal(await origin("http://page.example:8080"), "http://page.example:8080");
    assert.equal(await origin("http://other.example"), null);
  });

  it("tells of slow applies, and of each call on the level debug", async () => {
    await postJson(server.clientPort, "/v3/kv/put", { key: "YQ==", value: "Yg==" });
    const slow = await until(() =>
      lines().find(({ request }) => /put:<key:"a" value_size:1>/.test(String(request))),
    );
    assert.equal(slow["msg"], "apply request took too long");
    assert.equal(slow["level"], "warn");
    assert.equal(slow["expected-duration"], "1µs");
    assert.ok(lines().some(({ msg }) => msg === "Skipping defragmentation"));
    assert.ok(existsSync(logFile()));
  });

  async function until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
});

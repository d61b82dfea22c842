/** Each flag by itself: it is taken, nothing but what docs/configuration.md says is passed over, and a server serves with it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openData } from "../../src/cmd/serve/open-data.ts";
import { startServer } from "../../src/cmd/serve/start-server.ts";
import { entries } from "../../src/config/config.ts";
import { gateEntries } from "../../src/config/feature-gates.ts";
import type { Option } from "../../src/config/option.ts";
import { loadGood, warnings } from "../../src/config/testing/load.ts";
import { silentLogger } from "../../src/lib/logger.ts";
import { TestAuthority } from "../../src/transport/testing/make-certificates.ts";

/** Servers that need others to start, or end at once: tried where there are others. */
const elsewhere: Readonly<Record<string, string>> = {
  "discovery-token": "test/processes/discovery.test.ts",
  "discovery-endpoints": "test/processes/discovery.test.ts",
  "discovery-srv": "src/cmd/serve/dns-discovery.test.ts",
  "discovery-srv-name": "src/cmd/serve/dns-discovery.test.ts",
  "discovery-fallback": "only its default may be said",
};

/** In words for the command line; `@` stands for the folder of the test. */
const values: Readonly<Record<string, string>> = {
  name: "other",
  "data-dir": "@/data",
  "wal-dir": "@/wal",
  "storage-backend": "sqlite",
  "heartbeat-interval": "50",
  "election-timeout": "2000",
  "quota-backend-bytes": "100000000",
  "raft-read-timeout": "6s",
  "raft-write-timeout": "6s",
  "initial-advertise-peer-urls": "http://127.0.0.1:2390",
  "initial-cluster-state": "new",
  "initial-cluster-token": "other",
  "initial-cluster": "default=http://localhost:2380",
  "listen-client-urls": "http://127.0.0.1:0",
  "advertise-client-urls": "http://127.0.0.1:2379",
  "listen-client-http-urls": "http://127.0.0.1:0",
  "listen-metrics-urls": "http://127.0.0.1:0",
  "listen-peer-urls": "http://127.0.0.1:0",
  "auto-compaction-retention": "7",
  "auto-compaction-mode": "revision",
  "v2-deprecation": "gone",
  "max-concurrent-streams": "50",
  "auth-token": "some-secret-token",
  "bcrypt-cost": "4",
  "log-outputs": "stdout",
  "log-level": "debug",
  "log-format": "console",
  logger: "zap",
  "log-rotation-config-json": '{"maxsize": 1}',
  metrics: "extensive",
  "cert-file": "@/server.crt",
  "key-file": "@/server.key",
  "trusted-ca-file": "@/ca.crt",
  "client-cert-file": "@/server.crt",
  "client-key-file": "@/server.key",
  "client-crl-file": "@/revoked.crl",
  "peer-cert-file": "@/server.crt",
  "peer-key-file": "@/server.key",
  "peer-trusted-ca-file": "@/ca.crt",
  "peer-client-cert-file": "@/server.crt",
  "peer-client-key-file": "@/server.key",
  "peer-crl-file": "@/revoked.crl",
  "cipher-suites": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  "tls-min-version": "TLS1.3",
  "tls-max-version": "TLS1.3",
  "distributed-tracing-address": "127.0.0.1:1",
  "feature-gates": gateEntries.map(([name, gate]) => `${name}=${!gate.default}`).join(","),
};

/** The values that can be given to these, with nothing else changed, are their defaults. */
const onlyDefaults = new Set([
  "initial-cluster-state",
  "initial-cluster",
  "logger",
  "listen-client-urls",
  "advertise-client-urls",
  "storage-backend",
]);

/** Without which the flag is refused, or means nothing. */
const company: Readonly<Record<string, readonly string[]>> = {
  "initial-advertise-peer-urls": ["--initial-cluster=default=http://127.0.0.1:2390"],
  "enable-log-rotation": ["--log-outputs=@/rotated.log"],
  "cert-file": ["--key-file=@/server.key"],
  "key-file": ["--cert-file=@/server.crt"],
  "client-cert-file": ["--client-key-file=@/server.key"],
  "client-key-file": ["--client-cert-file=@/server.crt"],
  "peer-cert-file": ["--peer-key-file=@/server.key"],
  "peer-key-file": ["--peer-cert-file=@/server.crt"],
  "peer-client-cert-file": ["--peer-client-key-file=@/server.key"],
  "peer-client-key-file": ["--peer-client-cert-file=@/server.crt"],
};

function wordFor({ flag, kind, default: byDefault }: Option): string {
  const chosen = values[flag];
  if (chosen !== undefined) return chosen;
  if (kind.type === "bool") return String(!byDefault);
  if (kind.type === "integer") return String((byDefault as number) + 1);
  if (kind.type === "duration") return "1m1s";
  return kind.type === "origins" ? "http://a:1" : "some-text";
}

describe("a server with one flag", () => {
  let folder = "";
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "etclite-each-"));
    const authority = await TestAuthority.make();
    const { cert, key } = await authority.issue({ organization: "server", ips: ["127.0.0.1"] });
    const files = { "server.crt": cert, "server.key": key, "ca.crt": authority.cert };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, "revoked.crl"), await authority.revoke([]));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [field, option] of entries) {
    const { flag, status } = option;
    if (elsewhere[flag] !== undefined) continue;
    it(`--${flag}`, { timeout: 60_000 }, async () => {
      const given = [`--${flag}=${wordFor(option)}`, ...(company[flag] ?? [])];
      const own = {
        "storage-backend": "memory",
        "listen-client-urls": "http://127.0.0.1:0",
        "advertise-client-urls": "http://127.0.0.1:2379",
        "data-dir": "@/own",
      };
      const args = Object.entries(own)
        .filter(([name]) => name !== flag)
        .map(([name, value]) => `--${name}=${value}`);
      const all = [...args, ...given].map((word) => word.replaceAll("@", folder));
      const { config, notices } = await loadGood({ args: all });
      assert.ok(config.explicit.includes(flag));
      const passedOver = warnings(notices).some((line) => line.startsWith(`--${flag} has no effect`));
      assert.equal(passedOver, status.is === "accepted", warnings(notices).join("\n"));
      if (status.is === "works" && !onlyDefaults.has(flag)) {
        assert.notDeepEqual(config[field], option.default);
      }
      await serves(config);
    });
  }
});

async function serves(config: Parameters<typeof openData>[0]): Promise<void> {
  const failed: Error[] = [];
  const data = await openData(config, silentLogger);
  try {
    const ends = { onFatal: (error: Error) => failed.push(error), onRemoved: () => {} };
    const running = await startServer({ config, logger: silentLogger, data, ends, peers: false });
    await running.started;
    assert.ok(running.server.hasLeader);
    await running.stop();
  } finally {
    data.release();
  }
  assert.deepEqual(failed, []);
}

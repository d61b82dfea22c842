import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configFromObject } from "../../config/from-object.ts";
import { createLogger } from "../../lib/logger.ts";
import { announceServing, announceStart } from "./announce-start.ts";

/** The one line that `announce` logs. */
function lineOf(announce: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown> {
  const lines: string[] = [];
  announce(createLogger({ sink: { write: (line) => void lines.push(line) }, wallMs: () => 0 }));
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0] as string) as Record<string, unknown>;
}

describe("the line that says what a member runs with", () => {
  const config = configFromObject({
    name: "a",
    dataDir: "/data",
    snapshotCatchupEntries: 1000,
    compactHashCheckTimeMs: 60_000,
    featureGates: "CompactHashCheck=true,FastLeaseKeepAlive=true",
    autoCompactionRetention: "5",
    discoveryUser: "user:secret",
  });
  const started = lineOf((logger) =>
    announceStart(config, { initialized: true, memberDir: "/data/member" }, logger),
  );

  it("has etcd's name and fields", () => {
    assert.equal(started["msg"], "starting an etcd server");
    const shown = {
      "etcd-version": "3.7.3",
      "member-initialized": true,
      name: "a",
      "data-dir": "/data",
      "member-dir": "/data/member",
      "heartbeat-interval": "100ms",
      "election-timeout": "1s",
      "snapshot-catchup-entries": 1000,
      "listen-client-urls": ["http://localhost:2379"],
      "initial-cluster": "a=http://localhost:2380",
      "quota-backend-bytes": 2147483648,
      "feature-gates": "CompactHashCheck=true",
      "compact-check-time-interval": "1m0s",
      "auto-compaction-retention": "5h0m0s",
      "v2-deprecation": "write-only",
    };
    for (const [field, value] of Object.entries(shown)) assert.deepEqual(started[field], value, field);
  });

  it("has no password", () => {
    assert.equal(started["discovery-user"], "user:...");
    assert.doesNotMatch(JSON.stringify(started), /secret/);
  });

  it("is followed, once the ports are open, by one that says which they are", () => {
    const serving = lineOf((logger) => announceServing(config, "8e9e05c52164694d", logger));
    assert.equal(serving["msg"], "now serving peer/client/metrics");
    assert.equal(serving["local-member-id"], "8e9e05c52164694d");
    assert.deepEqual(serving["listen-peer-urls"], ["http://localhost:2380"]);
  });
});

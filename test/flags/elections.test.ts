/** Flags of elections and of talk between members reach those who act by them. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { describe, it } from "node:test";
import { openData } from "../../src/cmd/serve/open-data.ts";
import { PeerPort } from "../../src/cmd/serve/peer-port.ts";
import { startServer } from "../../src/cmd/serve/start-server.ts";
import { loadGood } from "../../src/config/testing/load.ts";
import type { ClusterId, MemberId } from "../../src/lib/ids.ts";
import { createLogger, silentLogger } from "../../src/lib/logger.ts";
import { Metrics } from "../../src/lib/metrics.ts";
import { Leadership, type LeadershipParts } from "../../src/server/leadership.ts";
import { testSettings } from "../../src/server/testing/test-server.ts";
import { freePort } from "../support/ports.ts";

/** The first role that a member asks for whose only fellow is not there. */
async function firstRole(flag: string): Promise<string> {
  const [own, other] = [await freePort(), await freePort()];
  const urls = [own, other].map((port) => `http://127.0.0.1:${port}`);
  const { config } = await loadGood({
    args: [
      "--storage-backend=memory",
      "--name=a",
      "--listen-client-urls=http://127.0.0.1:0",
      "--advertise-client-urls=http://127.0.0.1:0",
      `--listen-peer-urls=${urls[0]}`,
      `--initial-advertise-peer-urls=${urls[0]}`,
      `--initial-cluster=a=${urls[0]},b=${urls[1]}`,
      "--heartbeat-interval=10",
      "--election-timeout=50",
      flag,
    ],
  });
  const role = Promise.withResolvers<string>();
  const write = (line: string) => {
    const found = /became (preCandidate|candidate) /.exec(line)?.[1];
    if (found !== undefined) role.resolve(found);
  };
  const logger = createLogger({ sink: { write }, wallMs: () => 0, level: "info" });
  const data = await openData(config, logger);
  const ends = { onFatal: role.reject, onRemoved: () => {} };
  const running = await startServer({ config, logger, data, ends, peers: true });
  running.started.catch(() => {});
  try {
    return await role.promise;
  } finally {
    await running.stop();
    data.release();
  }
}

describe("--pre-vote", () => {
  it("has a member ask first whether it would be elected", { timeout: 60_000 }, async () => {
    assert.equal(await firstRole("--pre-vote=true"), "preCandidate");
    assert.equal(await firstRole("--pre-vote=false"), "candidate");
  });
});

describe("--initial-election-tick-advance", () => {
  /** How far a member that has found another has come with its first election, in ticks. */
  function ticks(initialElectionTickAdvance: boolean): number {
    let count = 0;
    const parts = {
      settings: { ...testSettings, initialElectionTickAdvance },
      cluster: { members: () => [{ id: 2n }] },
      peers: { activeSinceMs: () => 1 },
      node: { tick: () => count++ },
    } as unknown as LeadershipParts;
    const leadership = new Leadership(parts);
    leadership.start(0);
    leadership.hurryFirstElection(100);
    leadership.hurryFirstElection(200);
    return count;
  }

  it("has a member that has found others wait less", () => {
    assert.equal(ticks(true), testSettings.electionTicks - 2);
    assert.equal(ticks(false), 0);
  });
});

describe("--raft-read-timeout and --raft-write-timeout", () => {
  it("limit how long streams between members may be silent, or stuck", async () => {
    const args = ["--raft-read-timeout=7s", "--raft-write-timeout=8s", "--storage-backend=memory"];
    const { config } = await loadGood({ args });
    const { snapshotDir } = await openData(config, silentLogger);
    const port = await PeerPort.make({
      config,
      logger: silentLogger,
      metrics: new Metrics(),
      snapshotDir,
      tls: undefined,
      localAddress: undefined,
    });
    const { limits } = port.connect({ localId: 1n as MemberId, clusterId: 1n as ClusterId });
    assert.deepEqual([limits.streamTimeoutMs, limits.streamStallTimeoutMs], [7_000, 8_000]);
    await port.stop(0);
    rmSync(snapshotDir, { recursive: true, force: true });
  });
});

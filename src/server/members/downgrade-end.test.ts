import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClusterId, MemberId } from "../../lib/ids.ts";
import { silentLogger } from "../../lib/logger.ts";
import { FakeClock, settle } from "../../lib/testing/fake-clock.ts";
import { Cluster } from "../../membership/cluster.ts";
import { ClusterVersions } from "./cluster-versions.ts";

/** When a leader alone in a cluster that goes down to its own version calls the downgrade done, in milliseconds. */
async function endsAfter(downgradeCheckMs: number | undefined, waitMs: number): Promise<number | undefined> {
  const clock = new FakeClock();
  const cluster = new Cluster(1n as ClusterId, 1n as MemberId, 1);
  Object.defineProperty(cluster, "version", { value: "3.7.0" });
  Object.defineProperty(cluster, "downgrade", { value: { enabled: true, targetVersion: "3.7.0" } });
  let ended: number | undefined;
  const beganMs = clock.monotonicMs();
  const versions = new ClusterVersions({
    cluster,
    peers: { versions: () => Promise.reject(new Error("nobody")) },
    clock,
    logger: silentLogger,
    downgradeCheckMs,
    isLeader: () => true,
    propose: () => {},
    endDowngrade: () => {
      ended ??= clock.monotonicMs() - beganMs;
    },
  });
  versions.begin();
  for (let passed = 0; passed < waitMs && ended === undefined; passed += 100) {
    await clock.advance(100);
    versions.tick(clock.monotonicMs());
    await settle();
  }
  return ended;
}

describe("the end of a downgrade", () => {
  it("is looked for as often as --downgrade-check-time says", async () => {
    assert.equal(await endsAfter(undefined, 20_000), 5_000);
    assert.equal(await endsAfter(700, 20_000), 700);
    assert.equal(await endsAfter(60_000, 70_000), 60_000);
    assert.equal(await endsAfter(0, 100_000), undefined);
  });
});

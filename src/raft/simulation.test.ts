import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Simulation } from "./testing/simulation.ts";

/** A few of many: `RAFT_SIM_SEEDS=from-to` runs others. */
function seeds(count: number): number[] {
  const [from, to] = (process.env["RAFT_SIM_SEEDS"] ?? `1-${count}`).split("-").map(Number);
  return Array.from({ length: to! - from! + 1 }, (_, i) => from! + i);
}

describe("a cluster in an unkind world", () => {
  it("keeps Raft's promises: three members", () => {
    for (const seed of seeds(6)) {
      const report = new Simulation({ seed, size: 3, seconds: 60 }).run();
      assert.ok(report.commits > 100 && report.elections > 1 && report.crashes > 5, JSON.stringify(report));
    }
  });

  it("keeps them while members come and go", () => {
    for (const seed of seeds(8)) {
      const report = new Simulation({ seed, size: 3, outsiders: 3, seconds: 60 }).run();
      assert.ok(report.confChanges > 0, JSON.stringify(report));
    }
  });
});

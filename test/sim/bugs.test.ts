/** Each bug that is put in on purpose is found, and by whom it should be. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bugs } from "./bugs.ts";
import { planOf } from "./faults.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { Simulation } from "./simulation.ts";

/** For a machine that has much else to do. */
const limitMs = 120_000;
/** A bug that only shows by chance gets so many. */
const seedsMax = 60;

describe("a simulation finds", () => {
  for (const bug of bugs) {
    it(bug.name, { timeout: limitMs }, async () => {
      const found = await firstFailure(bug);
      assert.match(found, bug.found, `the bug "${bug.name}" was found as: ${found}`);
    });
  }
});

async function firstFailure(bug: PlantedBug): Promise<string> {
  const { firstSeed = 1 } = bug;
  for (let seed = firstSeed; seed < firstSeed + seedsMax; seed++) {
    try {
      await new Simulation({ seed, bug, faultyMs: 6_000, plan: planOf(bug.faults) }).run();
    } catch (error) {
      return (error as Error).message;
    }
  }
  return `nothing, in ${seedsMax} seeds from ${firstSeed}`;
}

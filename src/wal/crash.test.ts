import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crashTrial } from "./testing/crash-trial.ts";

describe("a loss of power", () => {
  it("leaves everything that was acknowledged, whatever the disk had not written yet", async () => {
    let crashes = 0;
    for (let seed = 1; seed <= 12; seed++) crashes += await crashTrial(seed, 40, 3, 2);
    assert.ok(crashes > 200, `only ${crashes} crashes were tried`);
  });
});

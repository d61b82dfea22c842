import assert from "node:assert/strict";
import { it } from "node:test";
import { TurnClock } from "./turn-clock.ts";

it("reads the clock for the first questions of a turn, and then now and then", async () => {
  let reads = 0;
  const clock = new TurnClock({ monotonicMs: () => ++reads });
  const times = Array.from({ length: 129 }, () => clock.now());
  assert.deepEqual(times.slice(0, 5), [1, 2, 3, 4, 4]);
  assert.deepEqual(times.slice(62), [4, 4, ...new Array(64).fill(5), 6]);
  await Promise.resolve();
  assert.equal(clock.now(), 7);
});

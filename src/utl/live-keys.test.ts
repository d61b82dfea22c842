import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../lib/prng.ts";
import { LiveKeys } from "./live-keys.ts";

const keyOf = (number: number) => new TextEncoder().encode(`/registry/pods/default/${number}`);

describe("counting live keys", () => {
  for (const seed of [1, 2, 3]) {
    it(`comes to what a set comes to (seed ${seed})`, () => {
      const random = new Prng(seed);
      const set = new Set<number>();
      const live = new LiveKeys([seed, seed * 77]);
      for (let i = 0; i < 30_000; i++) {
        const key = random.below(9000);
        const lives = random.chance(0.7);
        live.set(keyOf(key), lives);
        if (lives) set.add(key);
        else set.delete(key);
        if (i % 1000 === 0) assert.equal(live.count, set.size, `seed ${seed}, after ${i}`);
      }
      assert.equal(live.count, set.size, `seed ${seed}`);
    });
  }

  it("knows the empty key, and a deletion of what never was", () => {
    const live = new LiveKeys([0, 0]);
    live.set(new Uint8Array(0), true);
    live.set(keyOf(1), false);
    assert.equal(live.count, 1);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "./prng.ts";

describe("Prng", () => {
  it("repeats itself for a seed, and differs for another seed or stream", () => {
    const take = (prng: Prng) => Array.from({ length: 20 }, () => prng.below(1_000_000));
    assert.deepEqual(take(new Prng(1)), take(new Prng(1)));
    assert.notDeepEqual(take(new Prng(1)), take(new Prng(2)));
    assert.notDeepEqual(take(new Prng(1, 0)), take(new Prng(1, 1)));
  });

  it("is PCG32: the first numbers of seed 42, stream 54, in the author's demonstration", () => {
    const prng = new Prng(42, 54);
    const numbers = Array.from({ length: 3 }, () => Math.round(prng.float() * 2 ** 32));
    assert.deepEqual(numbers, [0xa15c02b7, 0x7b47f409, 0xba1d3330]);
  });

  it("spreads evenly over its bound", () => {
    const prng = new Prng(7);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) counts[prng.below(10)]!++;
    for (const count of counts) assert.ok(count > 850 && count < 1150, counts.join());
    let heads = 0;
    for (let i = 0; i < 10_000; i++) if (prng.chance(0.25)) heads++;
    assert.ok(heads > 2300 && heads < 2700, `${heads}`);
  });
});

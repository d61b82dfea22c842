import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errors } from "../errors/table.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { Slices } from "./slices.ts";

function* count(to: number, log: string[], name: string) {
  for (let i = 0; i < to; i++) {
    log.push(name);
    yield undefined;
  }
  return to;
}

const never = () => false;
const unexpected = (error: Error) => {
  throw error;
};

describe("slices", () => {
  it("finishes short work at once", () => {
    const slices = new Slices(new FakeClock());
    const results: number[] = [];
    slices.run(count(3, [], ""), (value) => results.push(value), unexpected, never);
    assert.deepEqual(results, [3]);
    assert.equal(slices.active, 0);
  });

  it("lets long jobs take turns and gives the loop back between them", () => {
    const clock = new FakeClock();
    clock.costOfLookMs = 0.15;
    const slices = new Slices(clock);
    const log: string[] = [];
    const ended: string[] = [];
    slices.run(count(30, log, "a"), () => ended.push("a"), unexpected, never);
    slices.run(count(6, log, "b"), () => ended.push("b"), unexpected, never);
    let turns = 0;
    while (clock.pendingTurns > 0) {
      clock.turn();
      assert.ok(++turns < 100);
    }
    assert.ok(turns > 3, `${turns} turns`);
    assert.deepEqual(ended, ["b", "a"]);
    assert.ok(log.lastIndexOf("b") < log.lastIndexOf("a"));
  });

  it("tells an error and goes on with the others", () => {
    const slices = new Slices(new FakeClock());
    const told: string[] = [];
    function* failing(): Generator<undefined, number, undefined> {
      yield undefined;
      throw errors.compacted();
    }
    slices.run(
      failing(),
      () => told.push("done"),
      (error) => told.push(error.message),
      never,
    );
    assert.deepEqual(told, [errors.compacted.text]);
  });

  it("stops what is cancelled, and lets it clean up", () => {
    const clock = new FakeClock();
    clock.costOfLookMs = 2;
    const slices = new Slices(clock);
    let cleaned = false;
    let cancelled = false;
    function* work(): Generator<undefined, number, undefined> {
      try {
        for (;;) yield undefined;
      } finally {
        cleaned = true;
      }
    }
    slices.run(
      work(),
      () => assert.fail("ended"),
      unexpected,
      () => cancelled,
    );
    clock.turn();
    cancelled = true;
    clock.turn();
    assert.ok(cleaned);
    assert.equal(slices.active, 0);
    assert.equal(clock.pendingTurns, 0);
  });

  it("begins no more in one turn than there is time for", () => {
    const clock = new FakeClock();
    clock.costOfLookMs = 0.3;
    const slices = new Slices(clock);
    const log: string[] = [];
    let ended = 0;
    for (let i = 0; i < 100; i++) slices.run(count(3, log, "x"), () => ended++, unexpected, never);
    assert.ok(ended + slices.active === 100 && log.length < 60, `${log.length} steps`);
    while (clock.pendingTurns > 0) clock.turn();
    assert.equal(ended, 100);
  });

  it("lets a job stand still at its gate, at no cost, until it may go on or is cancelled", () => {
    const clock = new FakeClock();
    const slices = new Slices(clock);
    const ended: string[] = [];
    const resume: (() => void)[] = [];
    let isOpen = false;
    let cancelled = false;
    const gate = { mayGoOn: () => isOpen, wait: (callback: () => void) => void resume.push(callback) };
    slices.run(count(3, [], ""), () => ended.push("a"), unexpected, never, gate);
    slices.run(
      count(3, [], ""),
      () => ended.push("b"),
      unexpected,
      () => cancelled,
      gate,
    );
    assert.equal(slices.active, 2);
    assert.equal(clock.pendingTurns, 0);
    cancelled = true;
    resume[1]!();
    while (clock.pendingTurns > 0) clock.turn();
    assert.equal(slices.active, 1);
    isOpen = true;
    resume[0]!();
    while (clock.pendingTurns > 0) clock.turn();
    assert.deepEqual(ended, ["a"]);
    assert.equal(slices.active, 0);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inPortions, Portions } from "./portions.ts";
import { FakeClock } from "./testing/fake-clock.ts";

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Each look at it costs a tenth of a millisecond, as if the work had. */
function slowClock(): FakeClock {
  const clock = new FakeClock();
  clock.costOfLookMs = 0.1;
  return clock;
}

describe("portions", () => {
  it("are one when there is little to do", () => {
    const clock = slowClock();
    const done: number[] = [];
    inPortions(numbers(0, 32), clock, (n) => done.push(n));
    assert.deepEqual(done, numbers(0, 32));
    assert.equal(clock.pendingTurns, 0);
  });

  it("give the loop back, keep the order, and do nothing twice", () => {
    const clock = slowClock();
    const done: number[] = [];
    const portions = new Portions<number>(clock, (n) => done.push(n));
    portions.add(numbers(0, 5000));
    assert.ok(done.length > 0 && done.length < 2000, `${done.length} at once`);
    portions.add(numbers(5000, 6000));
    let turns = 0;
    while (clock.pendingTurns > 0) {
      const before = done.length;
      clock.turn();
      turns++;
      assert.ok(done.length - before < 2000);
    }
    assert.deepEqual(done, numbers(0, 6000));
    assert.ok(turns >= 4, `${turns} turns`);
    assert.ok(portions.isEmpty);
  });

  it("can be taken back", () => {
    const clock = slowClock();
    const done: number[] = [];
    const portions = new Portions<number>(clock, (n) => done.push(n));
    portions.add(numbers(0, 5000));
    const rest = portions.takeRest();
    while (clock.pendingTurns > 0) clock.turn();
    assert.deepEqual([...done, ...rest], numbers(0, 5000));
    portions.add([7]);
    assert.equal(done.at(-1), 7);
  });

  it("go on after one that throws, and what is done in one may add to them", () => {
    const clock = slowClock();
    const done: number[] = [];
    const portions: Portions<number> = new Portions<number>(clock, (n) => {
      if (n === 1) throw new Error("one");
      if (n === 2) portions.add([9]);
      done.push(n);
    });
    assert.throws(() => portions.add([0, 1, 2, 3]), /one/);
    clock.turn();
    assert.deepEqual(done, [0, 2, 3, 9]);
  });
});

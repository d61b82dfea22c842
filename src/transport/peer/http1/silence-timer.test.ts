import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../lib/testing/fake-clock.ts";
import { SilenceTimer } from "./silence-timer.ts";

function timerOn(clock: FakeClock): { timer: SilenceTimer; told: number[] } {
  const told: number[] = [];
  const timer = new SilenceTimer(clock, 100, () => told.push(clock.monotonicMs()));
  return { timer, told };
}

/** Time and turns, as they pass in a running process. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let i = 0; i < ms; i++) {
    await clock.advance(1);
    clock.turn();
  }
}

describe("a timer of silence", () => {
  it("goes off when nothing is heard", async () => {
    const clock = new FakeClock();
    const { timer, told } = timerOn(clock);
    timer.start();
    await pass(clock, 500);
    assert.deepEqual(told, [100]);
  });

  it("waits anew for whatever is heard", async () => {
    const clock = new FakeClock();
    const { timer, told } = timerOn(clock);
    timer.start();
    for (let i = 0; i < 10; i++) {
      await pass(clock, 90);
      timer.heard();
    }
    assert.deepEqual(told, []);
    await pass(clock, 200);
    assert.deepEqual(told, [1000]);
  });

  it("says nothing once stopped, and starts again", async () => {
    const clock = new FakeClock();
    const { timer, told } = timerOn(clock);
    timer.start();
    await pass(clock, 50);
    timer.stop();
    await pass(clock, 200);
    timer.start();
    await pass(clock, 99);
    assert.deepEqual(told, []);
    await pass(clock, 1);
    assert.deepEqual(told, [350]);
  });

  it("lets a process that was halted read first what came meanwhile", async () => {
    const clock = new FakeClock();
    const { timer, told } = timerOn(clock);
    timer.start();
    // Halted: the time is over before anything could be read.
    await clock.advance(5_000);
    timer.heard();
    clock.turn();
    await pass(clock, 99);
    assert.deepEqual(told, []);
    await pass(clock, 200);
    assert.deepEqual(told, [5_100]);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../../lib/prng.ts";
import { CoarseTimers, type TimerEntry, type TimerHost } from "./coarse-timers.ts";

/** A clock that moves when told to. */
class FakeHost implements TimerHost {
  nowMs = 1000;
  private wakeAtMs: number | undefined = undefined;
  private wake: () => void = () => {};
  sleeps = 0;

  now(): number {
    return this.nowMs;
  }

  sleep(delayMs: number, wake: () => void): () => void {
    assert.equal(this.wakeAtMs, undefined, "one timer at a time");
    this.sleeps++;
    this.wakeAtMs = this.nowMs + delayMs;
    this.wake = wake;
    return () => {
      this.wakeAtMs = undefined;
    };
  }

  get isArmed(): boolean {
    return this.wakeAtMs !== undefined;
  }

  advanceTo(timeMs: number): void {
    while (this.wakeAtMs !== undefined && this.wakeAtMs <= timeMs) {
      this.nowMs = Math.max(this.nowMs, this.wakeAtMs);
      this.wakeAtMs = undefined;
      this.wake();
    }
    this.nowMs = timeMs;
  }
}

describe("CoarseTimers", () => {
  it("fires once, not early, and at most a grain late", () => {
    const seed = Number(process.env["SEED"] ?? Date.now());
    const prng = new Prng(seed);
    const random = (below: number) => prng.below(below);
    const host = new FakeHost();
    const timers = new CoarseTimers(host);
    const fired: string[] = [];
    let expected = 0;
    for (let index = 0; index < 2_000; index++) {
      const delayMs = random(random(2) === 0 ? 2_000 : 7_200_000);
      const dueMs = host.nowMs + delayMs;
      const grainMs = delayMs < 1_000 ? 8 : delayMs < 60_000 ? 128 : delayMs < 3_600_000 ? 1_024 : 16_384;
      const entry: TimerEntry = timers.arm(delayMs, {
        onTimer() {
          fired.push(`${index}`);
          assert.ok(host.nowMs >= dueMs, `seed ${seed}: early`);
          assert.ok(
            host.nowMs <= dueMs + grainMs + 1,
            `seed ${seed}: late by ${host.nowMs - dueMs} of ${delayMs}`,
          );
          entry.cancel();
        },
      });
      if (random(3) === 0) entry.cancel();
      else expected++;
      if (random(10) === 0) host.advanceTo(host.nowMs + random(500));
    }
    host.advanceTo(host.nowMs + 8_000_000);
    assert.equal(fired.length, expected, `seed ${seed}`);
    assert.equal(new Set(fired).size, expected, `seed ${seed}`);
    assert.equal(timers.size, 0);
  });

  it("does nothing once nothing is armed", () => {
    const host = new FakeHost();
    const timers = new CoarseTimers(host);
    timers.arm(100, { onTimer() {} }).cancel();
    timers.arm(50_000, { onTimer() {} }).cancel();
    host.advanceTo(10_000);
    assert.equal(host.isArmed, false);
    assert.ok(host.sleeps <= 2);
  });

  it("arms again from within", () => {
    const host = new FakeHost();
    const timers = new CoarseTimers(host);
    let rounds = 0;
    const again = {
      onTimer() {
        if (++rounds < 5) timers.arm(100, again);
      },
    };
    timers.arm(100, again);
    host.advanceTo(3_000);
    assert.equal(rounds, 5);
  });

  it("gives the event loop a turn among very many", () => {
    const host = new FakeHost();
    const timers = new CoarseTimers(host);
    let fired = 0;
    for (let index = 0; index < 2_500; index++) timers.arm(10, { onTimer: () => fired++ });
    host.advanceTo(1_016);
    assert.equal(fired, 1_000);
    host.advanceTo(1_018);
    assert.equal(fired, 2_500);
  });

  it("goes on after a target that throws", () => {
    const host = new FakeHost();
    const timers = new CoarseTimers(host);
    let fired = 0;
    const thrower = {
      onTimer() {
        throw new Error("a bug");
      },
    };
    timers.arm(10, { onTimer: () => fired++ });
    timers.arm(10, thrower);
    timers.arm(100, { onTimer: () => fired++ });
    assert.throws(() => host.advanceTo(1_050), /a bug/);
    host.advanceTo(2_000);
    assert.equal(fired, 2);
    assert.equal(timers.size, 0);
  });

  it("waits longer than a timer of the runtime can", () => {
    const host = new FakeHost();
    const timers = new CoarseTimers(host);
    let fired = false;
    timers.arm(2 ** 33, {
      onTimer() {
        fired = true;
      },
    });
    host.advanceTo(2 ** 32);
    assert.equal(fired, false);
    host.advanceTo(2 ** 33 + 100_000);
    assert.equal(fired, true);
  });
});

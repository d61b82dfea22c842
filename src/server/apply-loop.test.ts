import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RaftIndex, Term } from "../lib/ids.ts";
import { type Entry, EntryType } from "../lib/raft-entry.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { ApplyLoop } from "./apply-loop.ts";

const entries = (from: number, to: number): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({
    type: EntryType.normal,
    term: 1 as Term,
    index: (from + i) as RaftIndex,
    data: new Uint8Array(0),
  }));

function setUp(apply: (entry: Entry) => Generator<undefined, void, undefined> | undefined) {
  const clock = new FakeClock();
  const told: number[] = [];
  const fatal: string[] = [];
  const loop = new ApplyLoop(0 as RaftIndex, {
    clock,
    apply,
    onApplied: (index) => told.push(index),
    onFatal: (error) => fatal.push(error.message),
  });
  return { clock, told, fatal, loop };
}

describe("apply loop", () => {
  it("applies short entries in order within the call", () => {
    const seen: number[] = [];
    const { loop, told } = setUp((entry) => {
      seen.push(entry.index);
      return undefined;
    });
    loop.push(entries(1, 5));
    loop.push(entries(6, 6));
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(told, [5, 6]);
  });

  it("gives the loop back when its time is up and goes on in the next turn", () => {
    const { loop, clock } = setUp(() => undefined);
    clock.costOfLookMs = 3;
    loop.push(entries(1, 1000));
    assert.ok(loop.applied > 0 && loop.applied < 1000, `applied ${loop.applied}`);
    assert.equal(clock.pendingTurns, 1);
    for (let turns = 0; loop.applied < 1000; turns++) {
      assert.ok(turns < 100);
      clock.turn();
    }
    assert.equal(clock.pendingTurns, 0);
  });

  it("carries a long entry over turns and applies nothing after it meanwhile", () => {
    const seen: string[] = [];
    function* long() {
      for (let i = 0; i < 10; i++) {
        seen.push(`step ${i}`);
        yield undefined;
      }
    }
    const { loop, clock } = setUp((entry) => {
      if (entry.index === 2) return long();
      seen.push(`entry ${entry.index}`);
      return undefined;
    });
    clock.costOfLookMs = 3;
    loop.push(entries(1, 3));
    loop.push(entries(4, 4));
    assert.equal(loop.applied, 1);
    while (clock.pendingTurns > 0) clock.turn();
    assert.equal(loop.applied, 4);
    assert.equal(seen[0], "entry 1");
    assert.deepEqual(seen.slice(-2), ["entry 3", "entry 4"]);
    assert.equal(seen.length, 13);
  });

  it("wakes those who wait for an index when it is applied, lowest first", () => {
    const { loop } = setUp(() => undefined);
    const woken: number[] = [];
    for (const index of [3, 1, 2, 9]) loop.whenApplied(index as RaftIndex, () => woken.push(index));
    loop.push(entries(1, 3));
    assert.deepEqual(woken, [1, 2, 3]);
    loop.whenApplied(2 as RaftIndex, () => woken.push(22));
    assert.deepEqual(woken, [1, 2, 3, 22]);
  });

  it("stops for good when an entry cannot be applied", () => {
    const { loop, fatal } = setUp((entry) => {
      if (entry.index === 2) throw new Error("damage");
      return undefined;
    });
    loop.push(entries(1, 3));
    loop.push(entries(4, 4));
    assert.deepEqual(fatal, ["damage"]);
    assert.equal(loop.applied, 1);
  });

  it("wakes very many over several turns, in order, and whoever comes meanwhile after them", () => {
    const { loop, clock } = setUp(() => undefined);
    clock.costOfLookMs = 0.1;
    const woken: number[] = [];
    for (let i = 0; i < 10_000; i++) loop.whenApplied(1 as RaftIndex, () => woken.push(i));
    loop.push(entries(1, 1));
    assert.ok(woken.length < 5_000, `${woken.length} at once`);
    loop.whenApplied(1 as RaftIndex, () => woken.push(10_000));
    while (clock.pendingTurns > 0) clock.turn();
    assert.deepEqual(
      woken,
      Array.from({ length: 10_001 }, (_, i) => i),
    );
  });
});

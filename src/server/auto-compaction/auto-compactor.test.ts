import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errors } from "../../errors/table.ts";
import { FakeClock } from "../../lib/testing/fake-clock.ts";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import { startPeriodicCompactor, startRevisionCompactor } from "./auto-compactor.ts";

const minuteMs = 60_000;

function setUp() {
  const clock = new FakeClock();
  const compacted: number[] = [];
  const state = { revision: 1, isLeader: true, failure: undefined as Error | undefined };
  const options = {
    clock,
    logger: silentLogger,
    revision: () => state.revision,
    isLeader: () => state.isLeader,
    compact: async (revision: number) => {
      if (state.failure) throw state.failure;
      compacted.push(revision);
    },
  };
  return { clock, compacted, state, options };
}

describe("periodic compaction", () => {
  it("keeps an hour: nothing in the first one, then what is an hour old, once an hour", async () => {
    const { clock, compacted, state, options } = setUp();
    startPeriodicCompactor(options, 60 * minuteMs);
    for (let minute = 0; minute < 59; minute++) {
      state.revision += 10;
      await clock.advance(minuteMs);
    }
    assert.deepEqual(compacted, []);
    for (let minute = 59; minute < 240; minute++) {
      state.revision += 10;
      await clock.advance(minuteMs);
    }
    assert.equal(compacted.length, 4);
    for (const [hour, revision] of compacted.entries()) {
      // Ten revisions a minute, and what is recorded is up to six minutes old.
      const exact = 1 + hour * 600;
      assert.ok(
        Math.abs(revision - exact) <= 70 * (hour + 1),
        `hour ${hour}: ${revision}, wanted about ${exact}`,
      );
    }
  });

  it("tries again after a tenth of the time, and takes an earlier compaction for success", async () => {
    const { clock, compacted, state, options } = setUp();
    startPeriodicCompactor(options, 10 * minuteMs);
    state.revision = 50;
    state.failure = new Error("disk");
    await clock.advance(11 * minuteMs);
    assert.deepEqual(compacted, []);
    state.failure = undefined;
    await clock.advance(minuteMs);
    assert.equal(compacted.length, 1);
    state.failure = errors.compacted();
    state.revision = 100;
    await clock.advance(60 * minuteMs);
    assert.equal(compacted.length, 1);
  });

  it("leaves it to the leader, and stops when told", async () => {
    const { clock, compacted, state, options } = setUp();
    state.isLeader = false;
    const compactor = startPeriodicCompactor(options, 10 * minuteMs);
    state.revision = 9;
    await clock.advance(60 * minuteMs);
    assert.deepEqual(compacted, []);
    compactor.stop();
    assert.equal(clock.pendingTimers, 0);
  });
});

describe("revision compaction", () => {
  it("keeps the newest revisions, looking every five minutes", async () => {
    const { clock, compacted, state, options } = setUp();
    startRevisionCompactor(options, 100);
    state.revision = 90;
    await clock.advance(5 * minuteMs);
    assert.deepEqual(compacted, []);
    state.revision = 150;
    await clock.advance(5 * minuteMs);
    await clock.advance(5 * minuteMs);
    assert.deepEqual(compacted, [50]);
  });
});

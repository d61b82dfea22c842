import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errors } from "../../errors/table.ts";
import type { RaftIndex } from "../../lib/ids.ts";
import type { Wal } from "../../wal/wal.ts";
import { newLog, startTestServer } from "../testing/test-server.ts";
import { StalledLog } from "./stalled-log.ts";

function watched() {
  const node = { role: "leader" as "leader" | "follower", lastIndex: 1, stableIndex: 1, commitIndex: 1 };
  const handedOver: number[] = [];
  const log = new StalledLog({
    node: node as { role: "leader" } & Record<"lastIndex" | "stableIndex" | "commitIndex", RaftIndex>,
    electionTimeoutMs: 1000,
    handOver: (stalledMs) => handedOver.push(stalledMs),
  });
  const until = (endMs: number, fromMs: number) => {
    for (let nowMs = fromMs; nowMs <= endMs; nowMs += 100) log.tick(nowMs);
  };
  return { node, log, handedOver, until };
}

describe("a leader's log that is not written", () => {
  it("is given up after an election timeout in which the others were ahead, and again after a while", () => {
    const { node, handedOver, until } = watched();
    until(0, 0);
    node.lastIndex = 5;
    until(300, 100);
    node.commitIndex = 5;
    until(1_100, 400);
    assert.deepEqual(handedOver, []);
    until(6_200, 1_200);
    assert.deepEqual(handedOver, [1300]);
    until(6_300, 6_300);
    assert.deepEqual(handedOver, [1300, 6300]);
  });

  it("is waited for while it moves, while nobody else is ahead, and by a follower", () => {
    const { node, handedOver, until } = watched();
    // Slow, and others are ahead, but it moves.
    for (let nowMs = 0; nowMs < 10_000; nowMs += 900) {
      node.lastIndex += 2;
      node.commitIndex = node.lastIndex;
      node.stableIndex = node.lastIndex - 1;
      until(nowMs + 800, nowMs);
    }
    node.commitIndex = node.stableIndex;
    until(20_000, 10_800);
    node.role = "follower";
    node.commitIndex = node.lastIndex;
    until(30_000, 20_100);
    assert.deepEqual(handedOver, []);
  });

  it("is waited for when its disk is always slow, and given up when it takes much longer", () => {
    const { node, handedOver, until } = watched();
    let nowMs = 0;
    // Written as a follower, in more than an election timeout each.
    node.role = "follower";
    const write = (tookMs: number) => {
      node.lastIndex++;
      node.commitIndex = node.lastIndex;
      until(nowMs + tookMs - 100, nowMs);
      node.stableIndex = node.lastIndex;
      nowMs += tookMs;
    };
    write(1_500);
    node.role = "leader";
    for (let i = 0; i < 20; i++) {
      write(1_200 + (i % 4) * 100);
      // Nothing to write for a while: no reason to expect more of the disk.
      until(nowMs + 10_000, nowMs);
      nowMs += 10_000;
    }
    assert.deepEqual(handedOver, []);
    write(5_000);
    assert.equal(handedOver.length, 1);
  });

  it("is not stuck when there is nothing to write", () => {
    const { node, log, until } = watched();
    until(20_000, 0);
    assert.equal(log.stalledMs(20_000), 0);
    node.lastIndex++;
    until(29_000, 20_100);
    assert.equal(log.stalledMs(29_000), 9_000);
    node.stableIndex++;
    assert.equal(log.stalledMs(29_050), 0);
  });

  it("makes the only voter unhealthy when no request can be answered in time, until it is written", async () => {
    let held: (() => void)[] | undefined;
    const wal: Wal = {
      sizeBytes: 0,
      save: (_batch, done) => {
        if (held) held.push(() => done());
        else queueMicrotask(() => done());
      },
      release: () => {},
      close: async () => {},
    };
    const test = await startTestServer({ openLog: newLog(wal) });
    await test.pass(200);
    assert.equal(test.server.logIsWritten, true);
    held = [];
    const put = assert.rejects(test.put("a", "1"), { message: errors.timeout.text });
    await test.pass(6_500);
    assert.equal(test.server.logIsWritten, true);
    await test.pass(1_000);
    await put;
    assert.equal(test.server.logIsWritten, false);
    const writes = held;
    held = undefined;
    for (const write of writes) write();
    await test.run();
    assert.equal(test.server.logIsWritten, true);
    assert.equal(test.get("a"), "1");
    assert.deepEqual(test.fatal, []);
  });
});

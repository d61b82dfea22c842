import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { raftField } from "../codec/raft-internal.ts";
import { errors } from "../errors/table.ts";
import type { Wal } from "../wal/wal.ts";
import { newLog, startTestServer } from "./testing/test-server.ts";

describe("proposals that are given up", () => {
  it("are told so some in each turn, so that the event loop is not held", async () => {
    let isStalled = false;
    const wal: Wal = {
      sizeBytes: 0,
      save: (_batch, done) => {
        if (!isStalled) queueMicrotask(() => done());
      },
      release: () => {},
      close: async () => {},
    };
    const test = await startTestServer({ openLog: newLog(wal) });
    await test.pass(200);
    isStalled = true;
    const ends: string[] = [];
    const count = 1_800;
    for (let i = 0; i < count; i++) {
      const bytes = new Uint8Array([10, 1, 97]); // a put of the key "a"
      const request = { key: bytes.subarray(2), value: new Uint8Array(), lease: 0n };
      test.server.propose({ field: raftField.put, bytes, request }, (error) =>
        ends.push(error?.message ?? "done"),
      );
    }
    await test.pass(6_900);
    assert.equal(ends.length, 0);
    let before = 0;
    let longest = 0;
    const look = (): void => {
      longest = Math.max(longest, ends.length - before);
      before = ends.length;
    };
    for (let passedMs = 0; passedMs < 1_000 && ends.length < count; passedMs += 50) {
      await test.clock.advance(50);
      look();
      while (test.clock.pendingTurns > 0) {
        test.clock.turn();
        look();
      }
    }
    assert.equal(ends.length, count);
    assert.deepEqual(new Set(ends), new Set([errors.timeout.text]));
    assert.ok(longest <= 500, `${longest} in one turn`);
    assert.equal(test.server.pendingProposals, 0);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeRaftRequest } from "../codec/raft-internal.ts";
import { Prng } from "../lib/prng.ts";
import { EntryType } from "../lib/raft-entry.ts";
import type { Wal } from "../wal/wal.ts";
import { newLog, startTestServer } from "./testing/test-server.ts";

/** A run of a member from its first start, by a clock that always begins at the same time. Gives the ids of its requests. */
async function idsOfRun(seed: number): Promise<bigint[]> {
  const ids: bigint[] = [];
  const wal: Wal = {
    sizeBytes: 0,
    save({ entries }, done) {
      for (const { type, data } of entries) {
        if (type === EntryType.normal && data.length > 0) ids.push(decodeRaftRequest(data).header.id);
      }
      queueMicrotask(() => done());
    },
    release: () => {},
    close: async () => {},
  };
  const random = new Prng(seed, 1);
  const random64 = () => (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
  const test = await startTestServer({ openLog: newLog(wal), random64 });
  for (let i = 0; i < 20; i++) await test.put("k", `${i}`);
  return ids;
}

describe("ids of requests", () => {
  it("are others in each run, also when the clock of the machine begins anew with it", async () => {
    const before = await idsOfRun(1);
    const after = await idsOfRun(2);
    assert.ok(before.length >= 20);
    assert.equal(new Set([...before, ...after]).size, before.length + after.length);
    assert.ok([...before, ...after].every((id) => id !== 0n));
  });
});

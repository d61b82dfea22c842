import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RaftIndex } from "../../../lib/ids.ts";
import type { Message } from "../../../lib/raft-message.ts";
import { FaultDisk } from "../../../lib/testing/fault-disk.ts";
import { snapshotMessage, type TestMember } from "../testing/test-member.ts";
import { FileSnapshotSink } from "./file-sink.ts";

const dir = "/snap";
const somebody = { id: 1n } as TestMember;
const message = snapshotMessage(somebody, somebody, 0x2a);
const part = `${dir}/000000000000002a.0.part`;
const whole = `${dir}/000000000000002a.snap.db`;

async function sinkOn(disk: FaultDisk, verify = async (_path: string, _message: Message) => {}) {
  await disk.makeDir(dir);
  return new FileSnapshotSink({ disk, dir, verify });
}

describe("snapshots as files", () => {
  it("have their name when they are whole", async () => {
    const disk = new FaultDisk();
    const verified: string[] = [];
    const sink = await sinkOn(disk, async (path, { snapshot }) => {
      verified.push(`${path} ${snapshot!.metadata.index}`);
    });
    const incoming = await sink.open(message);
    await incoming.write(new Uint8Array([1, 2]));
    await incoming.write(new Uint8Array([3]));
    assert.deepEqual(disk.paths(), [part]);
    await incoming.commit();
    assert.deepEqual(verified, [`${part} 42`]);
    assert.equal(sink.pathOf(42 as RaftIndex), whole);
    assert.deepEqual(disk.paths(), [whole]);
    assert.deepEqual([...disk.contentOf(whole)], [1, 2, 3]);
  });

  it("never have it before, wherever the disk fails", async () => {
    for (let operations = 1; operations < 12; operations++) {
      const disk = new FaultDisk();
      let left = operations;
      disk.hook = async () => (left-- <= 0 ? { code: "EIO" } : undefined);
      const sink = await sinkOn(disk).catch(() => undefined);
      const incoming = await sink?.open(message).catch(() => undefined);
      const outcome = await (async () => {
        await incoming!.write(new Uint8Array(3_000).fill(7));
        await incoming!.commit();
        return "whole";
      })().catch(() => "not whole");
      const isThere = disk.paths().includes(whole);
      assert.equal(isThere, outcome === "whole", `${operations} operations`);
      if (isThere) assert.deepEqual(disk.contentOf(whole), new Uint8Array(3_000).fill(7));
    }
  });

  it("that do not verify are removed", async () => {
    const disk = new FaultDisk();
    const sink = await sinkOn(disk, async () => {
      throw new Error("not a database");
    });
    const incoming = await sink.open(message);
    await incoming.write(new Uint8Array([1]));
    await assert.rejects(incoming.commit(), /not a database/);
    await incoming.abort();
    assert.deepEqual(disk.paths(), []);
  });

  it("leave what a crash leaves, which is removed later", async () => {
    const disk = new FaultDisk();
    const sink = await sinkOn(disk);
    await (await sink.open(message)).write(new Uint8Array([1]));
    disk.put(whole, new Uint8Array([9]));
    disk.put(`${dir}/other.part`, new Uint8Array([9]));
    const after = disk.afterKill();
    await (await sinkOn(after)).removeLeftovers();
    assert.deepEqual(after.paths(), [`${dir}/other.part`]);
  });

  it("may come twice", async () => {
    const disk = new FaultDisk();
    const sink = await sinkOn(disk);
    const first = await sink.open(message);
    const second = await sink.open(message);
    await first.write(new Uint8Array([1]));
    await second.write(new Uint8Array([2]));
    await second.commit();
    await first.abort();
    assert.deepEqual([disk.paths(), [...disk.contentOf(whole)]], [[whole], [2]]);
  });
});

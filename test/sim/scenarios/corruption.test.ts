/** A bit flips in one member's store: the others find out, and nobody writes any more. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errors } from "../../../src/errors/table.ts";
import { AlarmType } from "../../../src/gen/etcdserverpb/rpc_pb.ts";
import { toBinaryKey } from "../../../src/lib/binary-key.ts";
import type { CorruptionSettings } from "../../../src/server/corruption/corruption-checks.ts";
import { bytesOf } from "../clients/workload.ts";
import { SimCluster } from "../world/sim-cluster.ts";
import type { SimMember } from "../world/sim-member.ts";
import { ClusterClient } from "./cluster-client.ts";

async function started(corruption: CorruptionSettings) {
  const cluster = new SimCluster({ seed: 3, size: 3, settings: { corruption } });
  const client = new ClusterClient(cluster);
  cluster.startAll();
  await cluster.until("a leader", () => cluster.leader !== undefined);
  for (let i = 0; i < 20; i++) await client.put(cluster.leader!, `key${i % 7}`, `value${i}`);
  await cluster.run(500);
  const follower = cluster.members.find((member) => member !== cluster.leader)!;
  return { cluster, client, follower };
}

/** The store gives out what it holds, so a change in that is one in the store. */
function flipBit(member: SimMember, key: string): void {
  const { server } = member;
  const kv = server!.store.keyValueAt(toBinaryKey(bytesOf(key)), server!.store.revision);
  assert.ok(kv, "the key is there");
  kv.value[0]! ^= 1;
}

const corrupted = ({ server }: SimMember) =>
  server!
    .alarms()
    .filter(({ alarm }) => alarm === AlarmType.CORRUPT)
    .map(({ memberID }) => memberID);

describe("a member whose data changes by itself", () => {
  it("is found by the periodic check", async () => {
    const { cluster, client, follower } = await started({ checkMs: 1_000, compactHashCheckMs: 0 });
    await cluster.run(5_000);
    for (const member of cluster.members) assert.deepEqual(corrupted(member), []);
    flipBit(follower, "key2");
    await cluster.until("an alarm", () => cluster.members.every((member) => corrupted(member).length > 0));
    assert.deepEqual(corrupted(follower), [follower.id]);
    await assert.rejects(client.put(cluster.leader!, "key1", "x"), { message: errors.corrupt.text });
  });

  it("is found after a compaction", async () => {
    const { cluster, client, follower } = await started({ checkMs: 0, compactHashCheckMs: 1_000 });
    await client.wait(cluster.leader!.server!.compact(10));
    await cluster.run(3_000);
    for (const member of cluster.members) assert.deepEqual(corrupted(member), []);
    flipBit(follower, "key2");
    await client.wait(cluster.leader!.server!.compact(cluster.leader!.server!.store.revision));
    await cluster.until("an alarm", () => cluster.members.every((member) => corrupted(member).length > 0));
    assert.deepEqual(corrupted(cluster.leader!), [follower.id]);
  });
});

/** A member whose disk stalls: nothing it is asked to write ends, for half a minute. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errors } from "../../../src/errors/table.ts";
import { bytesOf } from "../clients/workload.ts";
import { SimCluster } from "../world/sim-cluster.ts";
import type { SimMember } from "../world/sim-member.ts";
import { ClusterClient } from "./cluster-client.ts";

async function started(size = 3) {
  const cluster = new SimCluster({ seed: 1, size });
  const client = new ClusterClient(cluster);
  client.network.patienceMs = 60_000;
  cluster.startAll();
  await cluster.until("a leader", () => cluster.leader !== undefined);
  await cluster.until("its version", () => cluster.leader!.server!.cluster.version === "3.7.0");
  return { cluster, client, leader: cluster.leader! };
}

/** Writes that begin from now on take half a minute. */
function stall({ diskSpeed }: SimMember): void {
  diskSpeed.minMs = 30_000;
  diskSpeed.maxMs = 30_001;
}

function recover({ diskSpeed }: SimMember): void {
  diskSpeed.minMs = 0.1;
  diskSpeed.maxMs = 1;
}

const never = { text: "no error" };
const ended = (work: Promise<unknown>) =>
  work.then(
    () => never.text,
    ({ message }: Error) => message,
  );

describe("a disk that stalls", () => {
  it("makes a leader hand over, and leases are renewed through the others all the time", async () => {
    const { cluster, client, leader } = await started();
    const [one, two] = cluster.members.filter((member) => member !== leader);
    const ID = 5n;
    await client.call(one!, "grant", { ID, TTL: 5n });
    await client.call(one!, "put", { key: bytesOf("leased"), value: bytesOf("1"), lease: ID });
    stall(leader);
    const stuck = ended(client.put(leader, "a", "never acknowledged"));
    const leftMs: number[] = [];
    for (let i = 0; i < 15; i++) {
      await client.put(i % 2 === 0 ? one! : two!, "b", `${i}`);
      const askedMs = cluster.events.nowMs;
      assert.equal(await client.keepAlive(one!, ID), 5);
      leftMs.push(cluster.events.nowMs - askedMs);
      await cluster.run(1_000);
    }
    assert.ok(Math.max(...leftMs) < 3_000, `renewals took ${leftMs} ms`);
    assert.notEqual(cluster.leader, leader);
    assert.equal(await client.get(two!, "leased"), "1");
    assert.match(await stuck, /^etcdserver: request timed out/);
    recover(leader);
    await cluster.run(30_000);
    // It has caught up, and what it could not acknowledge was done or not, but is the same everywhere.
    assert.equal(await client.get(leader, "b"), "14");
    assert.equal(await client.get(leader, "a"), await client.get(one!, "a"));
  });

  it("makes reads of a follower time out like all else, and not wait for the disk", async () => {
    const { cluster, client, leader } = await started();
    const follower = cluster.members.find((member) => member !== leader)!;
    stall(follower);
    await client.put(leader, "a", "1");
    const askedMs = cluster.events.nowMs;
    assert.equal(await ended(client.get(follower, "a")), errors.timeout.text);
    const tookMs = cluster.events.nowMs - askedMs;
    assert.ok(tookMs >= 7_000 && tookMs < 8_000, `took ${tookMs} ms`);
    assert.equal(cluster.leader, leader);
    recover(follower);
    await cluster.run(60_000);
    assert.equal(await client.get(follower, "a"), "1");
  });

  it("moves nothing when the others have no quorum without it", async () => {
    const { cluster, client, leader } = await started(2);
    stall(leader);
    assert.match(await ended(client.put(leader, "a", "1")), /^etcdserver: request timed out/);
    assert.equal(cluster.leader, leader);
  });
});

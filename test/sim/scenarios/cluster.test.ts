/** What a cluster does, step by step, in a world where nothing else goes wrong. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { errors } from "../../../src/errors/table.ts";
import { WatchRequestSchema, WatchResponseSchema } from "../../../src/gen/etcdserverpb/rpc_pb.ts";
import { bytesOf } from "../clients/workload.ts";
import { SimCluster, type SimClusterOptions, urlOf } from "../world/sim-cluster.ts";
import type { SimMember } from "../world/sim-member.ts";
import { ClusterClient } from "./cluster-client.ts";

async function started(options: Partial<SimClusterOptions> = {}) {
  const cluster = new SimCluster({ seed: 1, size: 3, ...options });
  const client = new ClusterClient(cluster);
  cluster.startAll();
  await cluster.until("a leader", () => cluster.leader !== undefined);
  await cluster.until("its version", () => cluster.leader!.server!.cluster.version === "3.7.0");
  const followers = () => cluster.members.filter((member) => member !== cluster.leader && member.isUp);
  return { cluster, client, followers };
}

const fails = (work: Promise<unknown>, { text }: { text: string }) => assert.rejects(work, { message: text });

/** Cuts a member off from all others. */
function cutOff(cluster: SimCluster, member: SimMember): void {
  for (const other of cluster.members) {
    if (other === member) continue;
    cluster.network.cut(member, other);
    cluster.network.cut(other, member);
  }
}

describe("a new cluster", () => {
  it("has a leader in less than an election timeout, and members with names", async () => {
    const { cluster, client } = await started();
    assert.ok(cluster.events.nowMs < 5_000);
    const { members } = await client.call(cluster.members[0]!, "memberList", {});
    assert.deepEqual(
      members.map(({ name, peerURLs }) => [name, peerURLs[0]]).sort(),
      ["m1", "m2", "m3"].map((name) => [name, urlOf(name)]),
    );
    const [one] = cluster.members;
    for (const member of cluster.members) {
      await client.put(member, member.name, "1");
      assert.equal(await client.get(one!, member.name), "1");
    }
  });
});

describe("without a leader", () => {
  it("writes wait for one, and reads too", async () => {
    const { cluster, client, followers } = await started();
    cluster.leader!.crash("kill");
    const [follower] = followers();
    const write = client.put(follower!, "a", "1");
    // It was sent to the one that is gone, or waits: either way there is an end soon after the election.
    await write.catch((error: Error) =>
      assert.match(error.message, /possibly due to previous leader failure/),
    );
    await cluster.until("another leader", () => cluster.leader !== undefined);
    await client.put(follower!, "a", "2");
    assert.equal(await client.get(follower!, "a"), "2");
  });

  it("a member that is cut off refuses both in the end, and still answers from its own state", async () => {
    const { cluster, client, followers } = await started();
    const [follower] = followers();
    await client.put(follower!, "a", "1");
    cutOff(cluster, follower!);
    await cluster.run(3_000);
    await client.put(cluster.leader!, "a", "2");
    const status = await client.call(follower!, "status", {});
    assert.deepEqual(status.errors, [errors.noLeader.text]);
    assert.equal(await client.get(follower!, "a", true), "1");
    client.network.patienceMs = 20_000;
    await fails(client.get(follower!, "a"), errors.timeout);
    await fails(client.put(follower!, "a", "3"), errors.timeout);
    cluster.network.heal();
    assert.equal(await client.get(follower!, "a"), "2");
  });
});

describe("leadership", () => {
  it("moves to whom it is given, and only the leader gives it", async () => {
    const { cluster, client, followers } = await started();
    const [target, other] = followers();
    await fails(client.call(other!, "moveLeader", { targetID: target!.id! }), errors.notLeader);
    await fails(client.call(cluster.leader!, "moveLeader", { targetID: 1n }), errors.badLeaderTransferee);
    await client.call(cluster.leader!, "moveLeader", { targetID: target!.id! });
    assert.equal(cluster.leader, target);
  });

  it("is handed over by a leader that stops, in much less than a second", async () => {
    const { cluster, client } = await started();
    const leader = cluster.leader!;
    const startMs = cluster.events.nowMs;
    await client.wait(leader.stop());
    assert.ok(cluster.events.nowMs - startMs < 500, `took ${cluster.events.nowMs - startMs} ms`);
    assert.notEqual(cluster.leader, undefined);
    assert.notEqual(cluster.leader, leader);
    await client.put(cluster.leader!, "a", "1");
    assert.ok(cluster.events.nowMs - startMs < 1_000);
  });
});

describe("leases", () => {
  it("are renewed and looked at through any member", async () => {
    const { cluster, client } = await started();
    const { ID } = await client.call(cluster.members[0]!, "grant", { TTL: 60n });
    await cluster.run(5_000);
    for (const member of cluster.members) {
      const times = await client.call(member, "timeToLive", { ID, keys: true });
      assert.equal(times.grantedTTL, 60n);
      assert.ok(times.TTL >= 53n && times.TTL <= 55n, String(times.TTL));
    }
    for (const member of cluster.members) assert.equal(await client.keepAlive(member, ID), 60);
    assert.equal((await client.call(cluster.members[1]!, "timeToLive", { ID })).TTL, 59n);
    for (const member of cluster.members) {
      assert.equal(await client.keepAlive(member, 7n), 0);
      assert.equal((await client.call(member, "timeToLive", { ID: 7n })).TTL, -1n);
    }
  });

  it("keep what they have left when the leader stops", async () => {
    const { cluster, client } = await started();
    const { ID } = await client.call(cluster.leader!, "grant", { TTL: 100n });
    await cluster.run(40_000);
    await client.wait(cluster.leader!.stop());
    await cluster.until("another leader", () => cluster.leader?.server?.lessor.isPrimary === true);
    const { TTL } = await client.call(cluster.leader!, "timeToLive", { ID });
    assert.ok(TTL <= 62n && TTL >= 58n, String(TTL));
  });
});

describe("members", () => {
  it("join as learners that answer from their own state alone, and vote once they are promoted", async () => {
    const { cluster, client, followers } = await started();
    await cluster.run(6_000);
    const [voter] = followers();
    for (let i = 0; i < 50; i++) await client.put(voter!, `k${i}`, "v");
    const added = await client.call(voter!, "memberAdd", { peerURLs: [urlOf("m4")], isLearner: true });
    assert.equal(added.member!.isLearner, true);
    const id = added.member!.ID;
    await fails(client.call(voter!, "memberPromote", { ID: id }), errors.learnerNotReady);
    // In the same second it would have the same id, and that error.
    await cluster.run(2_000);
    await fails(
      client.call(voter!, "memberAdd", { peerURLs: [urlOf("m4")], isLearner: true }),
      errors.peerUrlExist,
    );
    const learner = cluster.join(
      "m4",
      new Map(["m1", "m2", "m3", "m4"].map((name) => [name, [urlOf(name)]])),
    );
    learner.start();
    await cluster.until("the learner to catch up", () => learner.server?.isLearner === true);
    await cluster.run(1_000);
    await fails(client.get(learner, "k1"), errors.notSupportedForLearner);
    await fails(client.put(learner, "k1", "w"), errors.notSupportedForLearner);
    assert.equal(await client.get(learner, "k1", true), "v");
    assert.deepEqual(await watchOnce(cluster, client, learner, "k2"), ["k2"]);
    await client.call(voter!, "memberPromote", { ID: id });
    await cluster.run(500);
    await client.put(learner, "k1", "w");
    assert.equal(await client.get(learner, "k1"), "w");
    await fails(client.call(voter!, "memberPromote", { ID: id }), errors.memberNotLearner);
    await fails(client.call(voter!, "memberPromote", { ID: 99n }), errors.memberNotFound);
  });

  it("stop by themselves when they are removed, the leader as well", async () => {
    const lines: string[] = [];
    const { cluster, client } = await started({ log: (line) => lines.push(line) });
    const leader = cluster.leader!;
    await cluster.run(6_000);
    const answer = await client.call(leader, "memberRemove", { ID: leader.id! });
    assert.equal(answer.members.length, 2);
    await cluster.until("the removed member to end", () => leader.isGone, 3_000);
    assert.ok(
      lines.some((line) => line.includes("the member has been permanently removed from the cluster")),
    );
    await cluster.until(
      "another leader",
      () => cluster.leader !== undefined && cluster.leader !== leader,
      3_000,
    );
    await client.put(cluster.leader!, "a", "1");
    await fails(client.call(cluster.leader!, "memberRemove", { ID: leader.id! }), errors.memberNotFound);
  });

  it("are not removed when that would leave no quorum", async () => {
    const { cluster, client, followers } = await started();
    await cluster.run(6_000);
    const [one, two] = followers();
    one!.crash("kill");
    await cluster.run(1_000);
    await fails(client.call(cluster.leader!, "memberRemove", { ID: two!.id! }), errors.unhealthy);
    await client.call(cluster.leader!, "memberRemove", { ID: one!.id! });
  });
});

/** Watches a key on a member, has it put through the leader, and gives the keys of the events. */
async function watchOnce(cluster: SimCluster, client: ClusterClient, member: SimMember, key: string) {
  const keys: string[] = [];
  const stream = client.network.open(member, "/etcdserverpb.Watch/Watch", {
    onMessage: (bytes) => {
      const { events } = fromBinary(WatchResponseSchema, bytes);
      for (const { kv } of events) keys.push(new TextDecoder().decode(kv!.key));
    },
    onEnd: (error) => assert.fail(`the watch ended: ${error}`),
  });
  const request = create(WatchRequestSchema, {
    requestUnion: { case: "createRequest", value: { key: bytesOf(key) } },
  });
  stream.send(toBinary(WatchRequestSchema, request));
  await cluster.run(100);
  await client.put(cluster.leader!, key, "seen");
  await cluster.until("an event", () => keys.length > 0);
  stream.close();
  return keys;
}

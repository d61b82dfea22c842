import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import {
  Election,
  type LeaderKey,
  LeaderResponseSchema,
  ProclaimRequestSchema,
  ProclaimResponseSchema,
  ResignRequestSchema,
  ResignResponseSchema,
} from "../../gen/v3electionpb/v3election_pb.ts";
import { bytes, PlaceWorld, type StreamCall, text } from "../places/testing/place-world.ts";

const notLeader = "election: not leader";

const proclaim = (world: PlaceWorld, leader: LeaderKey | undefined, value: string) =>
  world.asked(`/${Election.typeName}/Proclaim`, [ProclaimRequestSchema, ProclaimResponseSchema], {
    leader,
    value: bytes(value),
  });
const resign = (world: PlaceWorld, leader: LeaderKey | undefined) =>
  world.asked(`/${Election.typeName}/Resign`, [ResignRequestSchema, ResignResponseSchema], { leader });

async function won(world: PlaceWorld, name: string, lease: bigint, value: string): Promise<LeaderKey> {
  const { leader } = await (await world.campaign(name, lease, value)).answer;
  return leader!;
}

async function leads(world: PlaceWorld, name: string): Promise<string | undefined> {
  const outcome = (await world.leader(name)).outcome();
  return typeof outcome === "object" ? text(outcome.kv!.value) : outcome;
}

const seen = (call: StreamCall) =>
  call.messages.map((message) => text(fromBinary(LeaderResponseSchema, message).kv!.value));

describe("Election", () => {
  it("has one leader after the other", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n, 2n);
    assert.equal(await leads(world, "e"), "election: no leader");
    const first = await won(world, "e", 1n, "one");
    assert.deepEqual([text(first.name), text(first.key), first.lease], ["e", "e/1", 1n]);
    const second = await world.campaign("e", 2n, "two");
    assert.equal(second.outcome(), undefined);
    assert.equal(await leads(world, "e"), "one");
    assert.ok(typeof (await resign(world, first)).outcome() === "object");
    const answer = await second.answer;
    assert.equal(answer.header!.revision, answer.leader!.rev);
    assert.equal(await leads(world, "e"), "two");
    await world.server.revoke(2n);
    assert.equal(await leads(world, "e"), "election: no leader");
  });

  it("never elects a candidate whose lease has ended", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n, 2n);
    await won(world, "e", 1n, "one");
    const second = await world.campaign("e", 2n, "two");
    await Promise.all([world.server.revoke(2n), world.server.revoke(1n)]);
    await world.run();
    assert.equal(second.outcome(), notLeader);
  });

  it("takes a new value from who campaigns again", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n);
    const { rev } = await won(world, "e", 1n, "one");
    assert.equal((await won(world, "e", 1n, "two")).rev, rev);
    assert.equal(await leads(world, "e"), "two");
  });

  it("lets the leader proclaim, and nobody else", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n);
    const leader = await won(world, "e", 1n, "one");
    await proclaim(world, leader, "one again");
    assert.equal(await leads(world, "e"), "one again");
    assert.equal((await proclaim(world, { ...leader, rev: 1n }, "x")).outcome(), notLeader);
    await proclaim(world, { ...leader, lease: 0n }, "still with a lease");
    await world.server.revoke(1n);
    assert.equal(await leads(world, "e"), "election: no leader");
    assert.equal((await proclaim(world, leader, "x")).outcome(), notLeader);
    assert.equal((await proclaim(world, undefined, "x")).outcome(), '"leader" field must be provided');
  });

  it("lets only the leader resign, and tells nobody", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n);
    const leader = await won(world, "e", 1n, "one");
    assert.ok(typeof (await resign(world, { ...leader, rev: 1n })).outcome() === "object");
    assert.equal(await leads(world, "e"), "one");
    assert.equal((await resign(world, undefined)).outcome(), '"leader" field must be provided');
  });

  it("is observed: who leads, new values, and who comes next", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n, 2n, 3n);
    const early = await world.observe("e");
    assert.deepEqual(seen(early), []);
    const first = await won(world, "e", 1n, "one");
    const late = await world.observe("e");
    await proclaim(world, first, "one again");
    await world.campaign("e", 2n, "two");
    await resign(world, first);
    await world.server.revoke(2n);
    await world.run();
    await won(world, "e", 3n, "three");
    await world.run();
    assert.deepEqual(seen(early), ["one", "one again", "two", "three"]);
    assert.deepEqual(seen(late), seen(early));
    const revisions = early.messages.map((message) => {
      const { header, kv } = fromBinary(LeaderResponseSchema, message);
      return header!.revision >= kv!.modRevision;
    });
    assert.ok(revisions.every((ok) => ok));
    early.cancel();
    await proclaim(world, { ...first, key: bytes("e/3") }, "unheard");
    assert.equal(seen(early).length, 4);
  });

  it("tells an observer no more than it reads", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n);
    const leader = await won(world, "e", 1n, "0");
    const observer = await world.observe("e");
    observer.room = 1;
    for (let n = 1; n <= 5; n++) await proclaim(world, leader, `${n}`);
    assert.deepEqual(seen(observer), ["0", "1"]);
    observer.drain(1);
    await world.run();
    assert.deepEqual(seen(observer), ["0", "1", "2"]);
    observer.drain(10);
    await world.run();
    assert.deepEqual(seen(observer), ["0", "1", "2", "3", "4", "5"]);
    observer.cancel();
  });
});

/** Sections 7 (log compaction) and 8 (client interaction) of the Raft paper. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MemberId, RaftIndex, Term } from "../lib/ids.ts";
import { MessageType, makeMessage } from "../lib/raft-message.ts";
import { Cluster } from "./testing/cluster.ts";

const memberId = (id: number) => BigInt(id) as MemberId;

describe("7 log compaction", () => {
  /** A cluster whose member 3 missed entries that are gone from the leader's memory. */
  function lagging(): Cluster {
    const cluster = new Cluster({ size: 3, config: { keepEntries: 0 } });
    cluster.elect(1);
    cluster.isolate(3);
    for (let i = 0; i < 10; i++) {
      cluster.member(1).propose(`${i}`);
      cluster.settle();
    }
    cluster.member(1).compact();
    return cluster;
  }

  it("who lags behind the log gets a snapshot, and goes on from it", () => {
    const cluster = lagging();
    assert.equal(cluster.node(1).status().firstIndex, 12);
    cluster.heal();
    cluster.pass(3);
    assert.deepEqual(cluster.member(3).machine.texts, cluster.member(1).machine.texts);
    assert.equal(cluster.node(1).status().progress.get(memberId(3))?.state, "replicate");
    cluster.member(1).propose("next");
    cluster.settle();
    assert.equal(cluster.member(3).machine.texts.at(-1), "next");
    assert.equal(cluster.node(3).status().firstIndex, 12);
  });

  it("nothing is sent while a snapshot is on its way, and its failure leads to another", () => {
    const cluster = lagging();
    cluster.heal();
    cluster.lose(({ type }) => type === MessageType.snap);
    cluster.pass(2);
    const progress = () => cluster.node(1).status().progress.get(memberId(3))!;
    assert.equal(progress().state, "snapshot");
    cluster.member(1).propose("meanwhile");
    cluster.work(1);
    assert.equal(cluster.take(({ to, type }) => to === 3n && type === MessageType.app).length, 0);
    cluster.settle();
    cluster.node(1).reportSnapshot(memberId(3), false);
    assert.equal(progress().state, "probe");
    cluster.heal();
    cluster.pass(3);
    assert.equal(progress().state, "replicate");
    assert.deepEqual(cluster.member(3).machine.texts, cluster.member(1).machine.texts);
  });

  it("after a delivered snapshot the member is probed behind it", () => {
    const cluster = lagging();
    cluster.heal();
    // The follower installs it, but its answers are lost.
    cluster.lose(({ type, from, reject }) => from === 3n && type === MessageType.appResp && !reject);
    cluster.pass(2);
    cluster.node(1).reportSnapshot(memberId(3), true);
    const progress = () => cluster.node(1).status().progress.get(memberId(3))!;
    assert.equal(progress().next, 12);
    assert.equal(progress().paused, true);
    cluster.heal();
    cluster.pass(2);
    assert.equal(progress().match, 11);
  });

  it("no snapshot goes to a member that was not heard from", () => {
    const cluster = lagging();
    cluster.pass(25);
    cluster.node(1).reportUnreachable(memberId(3));
    cluster.member(1).propose("y");
    cluster.settle();
    assert.equal(cluster.node(1).status().progress.get(memberId(3))?.state, "probe");
  });

  it("a follower acknowledges a snapshot when it is installed, applies nothing before, and does not stand for election", () => {
    const cluster = lagging();
    cluster.heal();
    cluster.tick(1);
    while (!cluster.wire.some(({ type }) => type === MessageType.snap)) {
      cluster.deliver();
      for (const id of [1, 2, 3]) cluster.work(id);
    }
    cluster.deliver();
    const follower = cluster.member(3);
    follower.process();
    assert.equal(cluster.takeType(MessageType.appResp).length, 0);
    assert.equal(follower.node.commitIndex, 11);
    assert.equal(follower.node.appliedIndex, 1);
    follower.node.campaign();
    assert.equal(follower.node.role, "follower");
    while (follower.persistNext());
    follower.process();
    assert.equal(follower.node.appliedIndex, 11);
    assert.equal(cluster.takeType(MessageType.appResp)[0]?.index, 11);
  });

  it("a snapshot of what the log holds only moves the commit index", () => {
    const cluster = new Cluster({ size: 3, logs: { 2: [1, 1, 1] }, config: { preVote: false } });
    const metadata = { index: 2 as RaftIndex, term: 1 as Term, confState: cluster.confState };
    cluster.node(2).step(
      makeMessage({
        type: MessageType.snap,
        from: memberId(1),
        to: memberId(2),
        term: 1 as Term,
        snapshot: { metadata, data: new Uint8Array(0) },
      }),
    );
    assert.equal(cluster.node(2).commitIndex, 2);
    assert.deepEqual(cluster.terms(2), [1, 1, 1]);
    assert.equal(cluster.node(2).ready().snapshot, undefined);
  });

  it("an old snapshot, or one without this member, changes nothing", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.member(1).propose("x");
    cluster.settle();
    const step = (index: number, voters: MemberId[]) => {
      const confState = { ...cluster.confState, voters };
      cluster.node(2).step(
        makeMessage({
          type: MessageType.snap,
          from: memberId(1),
          to: memberId(2),
          term: cluster.node(1).term,
          snapshot: {
            metadata: { index: index as RaftIndex, term: 1 as Term, confState },
            data: new Uint8Array(0),
          },
        }),
      );
      cluster.work(2);
      return cluster.takeType(MessageType.appResp)[0]?.index;
    };
    assert.equal(step(1, [1n, 2n, 3n] as MemberId[]), 2);
    assert.equal(step(50, [1n, 3n] as MemberId[]), 2);
    assert.deepEqual(cluster.terms(2), [1, 1]);
  });

  it("a log begins where the last snapshot ended, after a restart too", () => {
    const cluster = lagging();
    cluster.member(1).propose("later");
    cluster.settle();
    cluster.member(1).crash();
    cluster.member(1).restart();
    assert.equal(cluster.node(1).status().firstIndex, 12);
    assert.equal(cluster.node(1).appliedIndex, 11);
    cluster.heal();
    cluster.pass(60);
    assert.equal(cluster.member(1).machine.texts.at(-1), "later");
    assert.equal(cluster.member(3).machine.texts.at(-1), "later");
  });
});

describe("8 client interaction", () => {
  it("a follower passes proposals on to the leader, unless told not to", () => {
    for (const disableProposalForwarding of [false, true]) {
      const cluster = new Cluster({ size: 3, config: { disableProposalForwarding } });
      assert.equal(cluster.member(2).propose("x"), "no leader");
      cluster.elect(1);
      assert.equal(cluster.member(2).propose("x"), disableProposalForwarding ? "not the leader" : undefined);
      cluster.settle();
      assert.deepEqual(cluster.member(3).machine.texts, disableProposalForwarding ? [] : ["x"]);
    }
  });

  it("a leader commits an empty entry at the start of its term", () => {
    const cluster = new Cluster({ size: 3, logs: { 1: [1, 2], 2: [1, 2], 3: [1] } });
    cluster.elect(1);
    assert.equal(cluster.node(1).commitIndex, 3);
    for (const id of [1, 2, 3]) assert.deepEqual(cluster.member(id).machine.texts, ["1/1", "2/2"]);
  });
});

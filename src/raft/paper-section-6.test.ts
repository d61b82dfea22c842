/** Section 6 of the Raft paper: cluster membership changes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MemberId, Term } from "../lib/ids.ts";
import { EntryType } from "../lib/raft-entry.ts";
import { MessageType, makeMessage } from "../lib/raft-message.ts";
import { ConfChangeTransition, ConfChangeType, type ConfChangeV2 } from "./confchange/types.ts";
import { Cluster } from "./testing/cluster.ts";

const memberId = (id: number) => BigInt(id) as MemberId;

/** `v4 l5 r1`: a change in the letters that logs use. */
function change(text: string, transition: ConfChangeTransition = ConfChangeTransition.auto): ConfChangeV2 {
  const types = {
    v: ConfChangeType.addNode,
    l: ConfChangeType.addLearnerNode,
    r: ConfChangeType.removeNode,
    u: ConfChangeType.updateNode,
  };
  const changes = text
    .split(" ")
    .filter((part) => part !== "")
    .map((part) => ({
      type: types[part[0] as keyof typeof types],
      nodeId: BigInt(part.slice(1)) as MemberId,
    }));
  return { transition, changes, context: new Uint8Array(0) };
}

const { jointExplicit, jointImplicit } = ConfChangeTransition;

describe("6 cluster membership changes", () => {
  it("a change counts from when it is applied, on every member", () => {
    const cluster = new Cluster({ size: 3, outsiders: 1 });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(change("v4"));
    assert.deepEqual(cluster.node(1).confState.voters, [1n, 2n, 3n]);
    cluster.pass(2);
    for (const id of [1, 2, 3, 4]) {
      assert.deepEqual(cluster.node(id).confState.voters, [1n, 2n, 3n, 4n], `member ${id}`);
    }
  });

  it("a second change is refused until the first is applied", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    assert.equal(cluster.node(1).proposeConfChange(change("v4")), undefined);
    assert.equal(cluster.node(1).proposeConfChange(change("v5")), "conf change not possible now");
    cluster.settle();
    assert.equal(cluster.node(1).proposeConfChange(change("v5")), undefined);
  });

  it("a forwarded change that is not possible becomes an empty entry, and its batch keeps its place", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(change("v4"));
    cluster.node(2).proposeConfChange(change("v5"));
    cluster.member(2).propose("after");
    cluster.settle();
    assert.deepEqual(cluster.node(1).confState.voters, [1n, 2n, 3n, 4n]);
    assert.deepEqual(cluster.member(1).machine.texts, ["after"]);
  });

  it("a new leader takes no change before it has applied what it found in its log", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.node(2).campaign();
    cluster.core(2).leader = memberId(0);
    cluster.elect(2);
    assert.equal(cluster.node(2).proposeConfChange(change("v4")), undefined);
    const fresh = new Cluster({ size: 3, logs: { 1: [1, 1] } });
    fresh.node(1).campaign();
    fresh.work(1);
    fresh.deliver();
    fresh.work(2);
    fresh.deliver();
    fresh.work(1);
    fresh.deliver();
    fresh.work(2);
    fresh.deliver();
    assert.equal(fresh.node(1).role, "leader");
    assert.equal(fresh.node(1).proposeConfChange(change("v4")), "conf change not possible now");
    fresh.settle();
    assert.equal(fresh.node(1).proposeConfChange(change("v4")), undefined);
  });

  it("in a joint configuration an entry needs a majority of both", () => {
    // From 1 2 3 to 1 4 5.
    const cluster = new Cluster({ size: 3, outsiders: 2, config: { checkQuorum: false } });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(change("r2 r3 v4 v5", jointExplicit));
    cluster.pass(3);
    assert.deepEqual(cluster.node(1).confState.votersOutgoing, [1n, 2n, 3n]);
    for (const cut of [
      [2, 3],
      [4, 5],
    ]) {
      const { commitIndex } = cluster.node(1);
      cluster.isolate(...cut);
      cluster.member(1).propose(`without ${cut}`);
      cluster.pass(2);
      assert.equal(cluster.node(1).commitIndex, commitIndex, `without ${cut}`);
      cluster.heal();
      cluster.pass(2);
      assert.equal(cluster.node(1).commitIndex, commitIndex + 1);
    }
    // One of each is enough.
    cluster.isolate(3, 5);
    cluster.member(1).propose("with 2 and 4");
    cluster.pass(2);
    assert.equal(cluster.member(1).machine.texts.at(-1), "with 2 and 4");
  });

  it("in a joint configuration a candidate needs a majority of both", () => {
    const cluster = new Cluster({ size: 3, outsiders: 2, config: { checkQuorum: false, preVote: false } });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(change("r2 r3 v4 v5", jointExplicit));
    cluster.pass(3);
    for (const cut of [
      [2, 3],
      [4, 5],
    ]) {
      cluster.elect(1);
      cluster.core(1).role = "follower";
      cluster.isolate(...cut);
      cluster.node(1).campaign();
      cluster.settle();
      assert.notEqual(cluster.node(1).role, "leader", `without ${cut}`);
      cluster.heal();
    }
    cluster.isolate(3, 5);
    cluster.elect(1);
  });

  it("an explicit joint configuration stays until it is told to go; an implicit one goes by itself", () => {
    for (const transition of [jointExplicit, jointImplicit]) {
      const cluster = new Cluster({ size: 3 });
      cluster.elect(1);
      cluster.node(1).proposeConfChange(change("v4", transition));
      cluster.settle();
      const joint = cluster.node(1).confState.votersOutgoing.length > 0;
      assert.equal(joint, transition === jointExplicit);
      if (!joint) continue;
      assert.equal(cluster.node(1).proposeConfChange(change("v5")), "conf change not possible now");
      assert.equal(cluster.node(1).proposeConfChange(change("")), undefined);
      cluster.settle();
      assert.deepEqual(cluster.node(1).confState.votersOutgoing, []);
      assert.deepEqual(cluster.node(1).confState.voters, [1n, 2n, 3n, 4n]);
      assert.equal(cluster.node(1).proposeConfChange(change("")), "conf change not possible now");
    }
  });

  it("several changes at once go through a joint configuration and leave it by themselves", () => {
    const seen: number[] = [];
    const cluster = new Cluster({
      size: 3,
      outsiders: 2,
      hooks: {
        onApply: (member, { type }) => (member.id === 1n && type !== 0 ? seen.push(type) : undefined),
      },
    });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(change("v4 l5 r3"));
    cluster.pass(3);
    assert.deepEqual(seen, [EntryType.confChangeV2, EntryType.confChangeV2]);
    assert.deepEqual(cluster.node(1).confState, {
      voters: [1n, 2n, 4n],
      learners: [5n],
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    });
  });

  it("the next leader leaves a joint configuration that it was left with", () => {
    const cluster = new Cluster({ size: 3, outsiders: 1 });
    cluster.elect(1);
    // Everyone gets the change, but member 1 falls silent before it can leave the joint configuration.
    cluster.node(1).proposeConfChange(change("v4", jointImplicit));
    cluster.work(1);
    cluster.deliver();
    cluster.work(2);
    cluster.work(3);
    cluster.isolate(1);
    cluster.elect(2);
    cluster.settle();
    assert.deepEqual(cluster.node(2).confState.votersOutgoing, []);
    assert.deepEqual(cluster.node(2).confState.voters, [1n, 2n, 3n, 4n]);
  });

  it("new members get the log as non-voting members first: a learner's acknowledgement does not count", () => {
    const cluster = new Cluster({ size: 3, learners: 1, config: { checkQuorum: false } });
    cluster.elect(1);
    const { commitIndex } = cluster.node(1);
    cluster.isolate(2);
    cluster.member(1).propose("x");
    cluster.pass(2);
    assert.equal(cluster.node(1).status().progress.get(memberId(3))?.match, commitIndex + 1);
    assert.equal(cluster.node(1).commitIndex, commitIndex);
    cluster.tick(3, 100);
    assert.equal(cluster.node(3).role, "follower");
    cluster.node(3).campaign();
    assert.equal(cluster.node(3).role, "follower");
  });

  it("a promoted learner votes and counts", () => {
    const cluster = new Cluster({ size: 3, learners: 1, config: { checkQuorum: false } });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(change("v3"));
    cluster.pass(2);
    cluster.isolate(2);
    cluster.member(1).propose("x");
    cluster.pass(2);
    assert.equal(cluster.member(1).machine.texts.at(-1), "x");
    cluster.elect(3);
  });

  it("a learner that does not know yet that it was promoted votes when it is asked", () => {
    const cluster = new Cluster({ size: 3, learners: 1 });
    cluster
      .node(3)
      .step(makeMessage({ type: MessageType.vote, from: memberId(1), to: memberId(3), term: 5 as Term }));
    cluster.work(3);
    assert.equal(cluster.takeType(MessageType.voteResp)[0]?.reject, false);
  });

  it("a leader that is removed hands over to one that has the whole log", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(change("r1"));
    cluster.settle();
    assert.equal(cluster.node(1).role, "leader");
    assert.equal(cluster.member(1).propose("x"), "removed");
    cluster.pass(1);
    assert.equal(cluster.node(1).role, "follower");
    assert.ok([2n, 3n].includes(cluster.leader()!.id));
    cluster.leader()!.propose("after");
    cluster.settle();
    assert.deepEqual(cluster.leader()!.machine.texts, ["after"]);
  });

  it("and gives up after an election timeout if nobody takes over", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(change("r1"));
    cluster.settle();
    cluster.lose(({ type }) => type === MessageType.timeoutNow);
    cluster.pass(9);
    assert.equal(cluster.node(1).role, "leader");
    cluster.pass(1);
    assert.equal(cluster.node(1).role, "follower");
    cluster.pass(40);
    assert.ok([2n, 3n].includes(cluster.leader()!.id));
  });

  it("who lost the leader that removed itself learns from refused votes that it is gone", () => {
    // Member 1 removes itself and 2 as its last act, through a joint configuration. 2 has a longer log than 3, and
    // knows that it is out; 3 does not know, and needs the votes of two of 1 2 3.
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(change("r1 r2", jointExplicit));
    cluster.settle();
    cluster.node(1).proposeConfChange(change(""));
    cluster.work(1);
    cluster.deliver();
    for (const id of [2, 3]) cluster.work(id);
    cluster.lose(({ to }) => to === 3n);
    cluster.deliver();
    cluster.member(1).propose("only on 2");
    cluster.settle();
    assert.deepEqual(cluster.node(2).confState.voters, [3n]);
    assert.ok(cluster.node(2).lastIndex > cluster.node(3).lastIndex);
    cluster.member(1).crash();
    cluster.heal();
    assert.deepEqual(cluster.node(3).confState.votersOutgoing, [1n, 2n, 3n]);
    cluster.pass(60);
    assert.equal(cluster.node(3).role, "leader");
    assert.deepEqual(cluster.node(3).confState.voters, [3n]);
  });

  it("with stepDownOnRemoval off a removed leader leads on without counting itself", () => {
    const cluster = new Cluster({ size: 3, config: { stepDownOnRemoval: false, checkQuorum: false } });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(change("r1"));
    cluster.settle();
    assert.equal(cluster.node(1).role, "leader");
    assert.equal(cluster.member(1).propose("x"), "removed");
  });

  it("removing a member may commit what waited for it", () => {
    const cluster = new Cluster({ size: 2, config: { checkQuorum: false } });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(change("r2"));
    cluster.work(1);
    cluster.deliver();
    cluster.work(2);
    cluster.deliver();
    cluster.isolate(2);
    cluster.member(1).propose("x");
    cluster.settle();
    assert.deepEqual(cluster.node(1).confState.voters, [1n]);
    assert.deepEqual(cluster.member(1).machine.texts, ["x"]);
  });

  it("removed members cannot disturb those that hear from a leader", () => {
    const cluster = new Cluster({ size: 4, config: { preVote: false } });
    cluster.elect(1);
    cluster.isolate(4);
    cluster.node(1).proposeConfChange(change("r4"));
    cluster.settle();
    const { term } = cluster.node(1);
    cluster.heal();
    for (let i = 0; i < 10; i++) {
      cluster.node(4).campaign();
      cluster.pass(3);
    }
    assert.equal(cluster.node(1).role, "leader");
    assert.equal(cluster.node(1).term, term);
  });

  it("a voter becomes a learner only when the joint configuration is left", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.node(1).proposeConfChange(change("l3", jointExplicit));
    cluster.settle();
    assert.deepEqual(cluster.node(1).confState.learnersNext, [3n]);
    assert.deepEqual(cluster.node(1).confState.learners, []);
    cluster.node(1).proposeConfChange(change(""));
    cluster.settle();
    assert.deepEqual(cluster.node(3).confState.learners, [3n]);
    assert.equal(cluster.node(3).status().isLearner, true);
  });
});

/** What Ongaro's dissertation ("Consensus: Bridging Theory and Practice") adds to the paper, by its sections. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MemberId, RaftIndex, Term } from "../lib/ids.ts";
import { MessageType, makeMessage } from "../lib/raft-message.ts";
import { ConfChangeTransition, ConfChangeType } from "./confchange/types.ts";
import { Cluster } from "./testing/cluster.ts";

const memberId = (id: number) => BigInt(id) as MemberId;
const mark = (text: string) => new TextEncoder().encode(text);

describe("3.10 leadership transfer", () => {
  it("goes at once to a member whose log is complete", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.node(1).transferLeader(memberId(2));
    cluster.settle();
    assert.equal(cluster.node(2).role, "leader");
    assert.equal(cluster.node(1).leader, 2n);
  });

  it("can be asked of a follower, which passes it on", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.node(3).transferLeader(memberId(2));
    cluster.settle();
    assert.equal(cluster.node(2).role, "leader");
  });

  it("first brings the target's log up to date", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(2);
    cluster.member(1).propose("x");
    cluster.settle();
    cluster.node(1).transferLeader(memberId(2));
    cluster.settle();
    assert.equal(cluster.node(1).role, "leader");
    cluster.heal();
    cluster.pass(1);
    assert.equal(cluster.node(2).role, "leader");
    assert.deepEqual(cluster.member(2).machine.texts, ["x"]);
  });

  it("keeps what others propose meanwhile, and passes it on to the next leader", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(2);
    cluster.member(1).propose("before"); // so that the target has to catch up first
    cluster.settle();
    cluster.node(1).transferLeader(memberId(2));
    cluster.member(3).propose("held");
    cluster.settle();
    assert.deepEqual(cluster.member(3).machine.texts, ["before"]);
    cluster.heal();
    cluster.pass(2);
    assert.equal(cluster.node(2).role, "leader");
    for (const id of [1, 2, 3]) assert.deepEqual(cluster.member(id).machine.texts, ["before", "held"]);
  });

  it("takes them itself when the transfer has failed", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(2);
    cluster.node(1).transferLeader(memberId(2));
    cluster.pass(3);
    cluster.member(3).propose("held");
    cluster.settle();
    assert.deepEqual(cluster.member(3).machine.texts, []);
    cluster.pass(8);
    assert.equal(cluster.node(1).role, "leader");
    assert.deepEqual(cluster.member(3).machine.texts, ["held"]);
  });

  it("takes no proposals meanwhile, and takes them again when it has lasted an election timeout", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(2);
    cluster.node(1).transferLeader(memberId(2));
    assert.equal(cluster.member(1).propose("x"), "transferring");
    cluster.pass(9);
    assert.equal(cluster.member(1).propose("x"), "transferring");
    cluster.pass(1);
    assert.equal(cluster.member(1).propose("x"), undefined);
    assert.equal(cluster.node(1).status().leadTransferee, 0n);
  });

  it("is not done to a learner, a stranger or oneself; another target replaces the first", () => {
    const cluster = new Cluster({ size: 4, learners: 1 });
    cluster.elect(1);
    for (const target of [4, 9, 1]) {
      cluster.node(1).transferLeader(memberId(target));
      assert.equal(cluster.node(1).status().leadTransferee, 0n);
    }
    cluster.isolate(2);
    cluster.node(1).transferLeader(memberId(2));
    cluster.node(1).transferLeader(memberId(3));
    cluster.settle();
    assert.equal(cluster.node(3).role, "leader");
  });

  it("ignores the leases of those that still hear the leader", () => {
    const cluster = new Cluster({ size: 3, config: { checkQuorum: true, preVote: true } });
    cluster.elect(1);
    cluster.pass(1);
    cluster.node(1).transferLeader(memberId(3));
    cluster.settle();
    assert.equal(cluster.node(3).role, "leader");
  });

  it("ends when the target is removed", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(3);
    cluster.node(1).proposeConfChange({
      id: 1n,
      type: ConfChangeType.removeNode,
      nodeId: memberId(3),
      context: new Uint8Array(0),
    });
    cluster.node(1).transferLeader(memberId(3));
    cluster.settle();
    assert.deepEqual(cluster.node(1).confState.voters, [1n, 2n]);
    assert.equal(cluster.member(1).propose("x"), undefined);
  });
});

describe("4.1 and 4.2 changes of one member at a time", () => {
  it("the leader counts a removed member no more from when it applies that", () => {
    const cluster = new Cluster({ size: 4 });
    cluster.elect(1);
    cluster.node(1).proposeConfChange({
      id: 1n,
      type: ConfChangeType.removeNode,
      nodeId: memberId(4),
      context: new Uint8Array(0),
    });
    cluster.settle();
    cluster.isolate(3, 4);
    cluster.member(1).propose("x");
    cluster.settle();
    assert.deepEqual(cluster.member(1).machine.texts, ["x"]);
  });

  it("4.2.3: a vote is refused while a leader was heard from within an election timeout", () => {
    const cluster = new Cluster({ size: 3, config: { preVote: false, checkQuorum: true } });
    cluster.elect(1);
    const ask = () => {
      const term = (cluster.node(2).term + 1) as Term;
      const request = { type: MessageType.vote, from: memberId(3), to: memberId(2), term };
      cluster.node(2).step(makeMessage({ ...request, index: cluster.node(2).lastIndex, logTerm: term }));
      cluster.work(2);
      return cluster.takeType(MessageType.voteResp).length;
    };
    cluster.tick(2, 9);
    assert.equal(ask(), 0);
    cluster.tick(2);
    assert.equal(ask(), 1);
  });

  it("who is not a voter does not campaign", () => {
    const cluster = new Cluster({ size: 2, outsiders: 1 });
    cluster.pass(50);
    assert.equal(cluster.node(3).role, "follower");
    assert.equal(cluster.node(3).term, 0);
  });

  it("of two changes in a log the first is committed, whatever the commit index on disk", () => {
    const cluster = new Cluster({ size: 3, outsiders: 2 });
    cluster.elect(1);
    for (const nodeId of [4, 5].map(memberId)) {
      const change = { id: 1n, type: ConfChangeType.addNode, nodeId, context: new Uint8Array(0) };
      cluster.node(1).proposeConfChange(change);
      cluster.settle();
    }
    const member = cluster.member(2);
    assert.equal(member.node.commitIndex, 3);
    // A crash that lost the commit index, and the state machine's state.
    member.crash();
    member.disk.hardState = { ...member.disk.hardState!, commit: 0 as RaftIndex };
    member.restart();
    assert.equal(member.node.commitIndex, 2);
    cluster.work(2);
    assert.deepEqual(member.node.confState.voters, [1n, 2n, 3n, 4n]);
  });

  it("no election while a committed change is not applied", () => {
    const cluster = new Cluster({ size: 3, config: { maxApplyingBytes: 1 } });
    cluster.elect(1);
    cluster.node(1).proposeConfChange({
      transition: ConfChangeTransition.auto,
      changes: [{ type: ConfChangeType.addNode, nodeId: memberId(4) }],
      context: new Uint8Array(0),
    });
    cluster.work(1);
    cluster.deliver();
    cluster.work(2);
    cluster.work(3);
    cluster.deliver();
    cluster.work(1);
    cluster.deliver();
    // Member 2 knows that the change is committed; it has not been given it to apply.
    const { log } = cluster.core(2);
    assert.ok(log.committed > log.applied);
    cluster.core(2).leader = memberId(0);
    cluster.node(2).campaign();
    assert.equal(cluster.node(2).role, "follower");
    cluster.work(2);
    cluster.node(2).campaign();
    assert.equal(cluster.node(2).role, "preCandidate");
  });
});

describe("6.2 a leader without a quorum", () => {
  it("steps down after an election timeout", () => {
    const cluster = new Cluster({ size: 5, config: { checkQuorum: true } });
    cluster.elect(1);
    cluster.isolate(3, 4, 5);
    cluster.pass(9);
    assert.equal(cluster.node(1).role, "leader");
    cluster.pass(11);
    assert.notEqual(cluster.node(1).role, "leader");
  });

  it("does not when checkQuorum is off", () => {
    const cluster = new Cluster({ size: 3, config: { checkQuorum: false } });
    cluster.elect(1);
    cluster.isolate(1);
    cluster.pass(50);
    assert.equal(cluster.node(1).role, "leader");
  });

  it("learners do not count", () => {
    const cluster = new Cluster({ size: 4, learners: 2 });
    cluster.elect(1);
    cluster.isolate(2);
    cluster.pass(20);
    assert.notEqual(cluster.node(1).role, "leader");
  });
});

describe("9.6 pre-vote", () => {
  it("asks first: neither term nor vote changes until a majority would agree", () => {
    const cluster = new Cluster({ size: 3, config: { checkQuorum: false } });
    cluster.node(1).campaign();
    assert.equal(cluster.node(1).role, "preCandidate");
    cluster.work(1);
    assert.equal(cluster.node(1).term, 0);
    assert.equal(cluster.core(1).vote, 0n);
    assert.deepEqual(
      cluster.wire.map(({ type, term }) => [type, term]),
      [2, 3].map(() => [MessageType.preVote, 1]),
    );
    cluster.deliver();
    cluster.work(2);
    assert.equal(cluster.node(2).term, 0);
    assert.equal(cluster.core(2).vote, 0n);
    cluster.settle();
    assert.equal(cluster.node(1).role, "leader");
    assert.equal(cluster.node(1).term, 1);
  });

  it("a member that was cut off does not disturb when it comes back", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    const { term } = cluster.node(1);
    cluster.isolate(3);
    cluster.pass(200);
    assert.equal(cluster.node(3).role, "preCandidate");
    assert.equal(cluster.node(3).term, term);
    cluster.heal();
    cluster.pass(3);
    assert.equal(cluster.node(1).role, "leader");
    assert.equal(cluster.node(1).term, term);
    assert.equal(cluster.node(3).leader, 1n);
  });

  it("without it, one that comes back with a higher term forces an election, and is not stuck", () => {
    const cluster = new Cluster({ size: 3, config: { preVote: false, checkQuorum: true } });
    cluster.elect(1);
    cluster.isolate(3);
    cluster.pass(100);
    const { term } = cluster.node(3);
    assert.ok(term > cluster.node(1).term);
    cluster.heal();
    cluster.pass(60);
    assert.ok(cluster.leader() !== undefined);
    for (const id of [1, 2, 3]) assert.equal(cluster.node(id).leader, cluster.leader()!.id);
    assert.ok(cluster.node(1).term >= term);
  });

  it("is refused while a leader is heard, and to those with older logs", () => {
    const cluster = new Cluster({
      size: 3,
      logs: { 1: [1], 2: [1, 1], 3: [1, 1] },
      config: { checkQuorum: false },
    });
    cluster.core(1).term = 1 as Term;
    cluster.node(1).campaign();
    cluster.settle();
    assert.equal(cluster.node(1).role, "follower");
    assert.equal(cluster.node(1).term, 1);
    cluster.node(2).campaign();
    cluster.settle();
    assert.equal(cluster.node(2).role, "leader");
  });

  it("a candidate with an older term is told the newer one", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.core(2).term = 9 as Term;
    cluster.core(3).term = 9 as Term;
    cluster.node(1).campaign();
    cluster.settle();
    assert.equal(cluster.node(1).term, 9);
  });

  it("handing leadership over skips it", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    let preVotes = 0;
    cluster.lose(({ type }) => {
      if (type === MessageType.preVote) preVotes++;
      return false;
    });
    cluster.node(1).transferLeader(memberId(2));
    cluster.settle();
    assert.equal(cluster.node(2).role, "leader");
    assert.equal(preVotes, 0);
  });
});

describe("10.2.1 writing to the leader's disk in parallel", () => {
  it("followers get the entries before the leader's disk has them", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.member(1).propose("x");
    const ready = cluster.member(1).takeReady();
    assert.equal(ready.entries.length, 1);
    assert.equal(ready.messages.filter(({ type }) => type === MessageType.app).length, 2);
  });

  it("a majority of followers commits without the leader's disk; it applies the entry when it has it", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.member(1).propose("x");
    cluster.member(1).process();
    cluster.deliver();
    cluster.work(2);
    cluster.work(3);
    cluster.deliver();
    assert.equal(cluster.node(1).commitIndex, 2);
    cluster.member(1).process();
    assert.deepEqual(cluster.member(1).machine.texts, []);
    while (cluster.member(1).persistNext());
    cluster.member(1).process();
    assert.deepEqual(cluster.member(1).machine.texts, ["x"]);
  });

  it("the leader's own copy counts when it is on its disk, not before", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(3);
    cluster.member(1).propose("x");
    cluster.member(1).process();
    cluster.deliver();
    cluster.work(2);
    cluster.deliver();
    // Member 2 has it, member 1 not yet: one disk of three.
    assert.equal(cluster.node(1).commitIndex, 1);
    while (cluster.member(1).persistNext());
    assert.equal(cluster.node(1).commitIndex, 2);
  });

  it("a write that was overtaken by another leader's entries does not make those durable", () => {
    // Entries of term 1, then of term 2, then again those of term 1 (as a new leader's): three writes under way, of
    // which only the last one makes the log that is in memory durable.
    const cluster = new Cluster({ size: 3, config: { preVote: false, checkQuorum: false } });
    const { node, core } = { node: cluster.node(1), core: cluster.core(1) };
    const append = (term: number, logTerms: number[]) => {
      const entries = logTerms.map((logTerm, i) => ({
        type: 0 as const,
        term: logTerm as Term,
        index: (i + 1) as never,
        data: mark(`${logTerm}/${i + 1}`),
      }));
      const from = memberId(term % 2 === 0 ? 2 : 3);
      node.step(makeMessage({ type: MessageType.app, from, to: memberId(1), term: term as Term, entries }));
      return node.ready().token;
    };
    const first = append(1, [1, 1, 1]);
    const second = append(2, [2, 2]);
    const third = append(3, [1, 1, 1]);
    assert.deepEqual(cluster.terms(1), [1, 1, 1]);
    node.persisted(first);
    assert.equal(core.log.stable, 0);
    node.persisted(second);
    assert.equal(core.log.stable, 0);
    node.persisted(third);
    assert.equal(core.log.stable, 3);
  });
});

describe("forgetting a leader", () => {
  it("lets a follower vote at once", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.pass(1);
    cluster.node(2).campaign();
    cluster.settle();
    assert.notEqual(cluster.node(2).role, "leader");
    cluster.pass(1);
    cluster.node(3).forgetLeader();
    assert.equal(cluster.node(3).leader, 0n);
    cluster.node(2).campaign();
    cluster.isolate(1);
    cluster.settle();
    assert.equal(cluster.node(2).role, "leader");
  });

  it("is undone by the leader's next message, and not done with lease reads", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.node(3).forgetLeader();
    cluster.pass(1);
    assert.equal(cluster.node(3).leader, 1n);
    const leased = new Cluster({ size: 3, config: { readMode: "lease" } });
    leased.elect(1);
    leased.node(3).forgetLeader();
    assert.equal(leased.node(3).leader, 1n);
  });
});

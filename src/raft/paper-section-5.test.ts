/** What section 5 of the Raft paper ("In Search of an Understandable Consensus Algorithm") says, sentence by sentence. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MessageType } from "../lib/raft-message.ts";
import { Cluster } from "./testing/cluster.ts";
import { makeEntry } from "./testing/member.ts";
import { message, plain, sent } from "./testing/paper.ts";

describe("5.1 basics: terms", () => {
  const roles = {
    follower: (_: Cluster) => {},
    candidate: (cluster: Cluster) => cluster.node(1).campaign(),
    leader: (cluster: Cluster) => cluster.elect(1),
  };
  for (const [role, prepare] of Object.entries(roles)) {
    it(`a ${role} that sees a larger term takes it over and follows`, () => {
      const cluster = new Cluster({ size: 3, config: plain });
      prepare(cluster);
      assert.equal(cluster.node(1).role, role);
      cluster.node(1).step(message({ type: MessageType.app, from: 2, to: 1, term: 9 }));
      assert.equal(cluster.node(1).role, "follower");
      assert.equal(cluster.node(1).term, 9);
      assert.equal(cluster.node(1).leader, 2n);
      assert.equal(cluster.core(1).vote, 0n);
    });
  }

  it("requests with an old term change nothing", () => {
    const cluster = new Cluster({ size: 3, config: plain });
    cluster.elect(1);
    cluster.elect(2);
    const term = cluster.node(1).term;
    const before = cluster.terms(1);
    cluster.node(1).step(
      message({
        type: MessageType.app,
        from: 3,
        to: 1,
        term: term - 1,
        index: 0,
        entries: [{ ...makeEntry("old"), term: term - 1, index: 1 }],
      }),
    );
    assert.deepEqual(cluster.terms(1), before);
    assert.equal(cluster.node(1).term, term);
  });

  it("a term never goes back, whatever the disk said last", () => {
    const cluster = new Cluster({ size: 1 });
    cluster.elect(1);
    const { term } = cluster.node(1);
    cluster.member(1).crash();
    cluster.member(1).restart();
    assert.equal(cluster.node(1).term, term);
    assert.equal(cluster.core(1).vote, 1n);
  });
});

describe("5.2 leader election", () => {
  it("members start as followers", () => {
    const cluster = new Cluster({ size: 3 });
    for (const member of cluster.members.values()) assert.equal(member.node.role, "follower");
  });

  it("a follower that hears nothing for the election timeout becomes candidate: term up, vote for itself, requests to all others", () => {
    const cluster = new Cluster({ size: 5, config: { ...plain, randomBelow: () => 0 } });
    cluster.tick(1, 9);
    assert.equal(cluster.node(1).role, "follower");
    cluster.tick(1);
    assert.equal(cluster.node(1).role, "candidate");
    assert.equal(cluster.node(1).term, 1);
    assert.equal(cluster.core(1).vote, 1n);
    assert.deepEqual(
      sent(cluster, MessageType.vote).map(({ to, term }) => [to, term]),
      [2n, 3n, 4n, 5n].map((to) => [to, 1]),
    );
  });

  it("timeouts are spread by chance over one to two election timeouts", () => {
    const seen = new Set<number>();
    for (let random = 0; random < 10; random++) {
      const cluster = new Cluster({ size: 3, config: { ...plain, randomBelow: () => random } });
      let ticks = 0;
      for (; cluster.node(1).role === "follower"; ticks++) cluster.tick(1);
      seen.add(ticks);
    }
    assert.deepEqual(
      [...seen],
      Array.from({ length: 10 }, (_, i) => 10 + i),
    );
  });

  it("heartbeats keep followers from starting elections", () => {
    const cluster = new Cluster({ size: 3, config: plain });
    cluster.elect(1);
    const { term } = cluster.node(1);
    cluster.pass(200);
    assert.equal(cluster.node(1).role, "leader");
    assert.equal(cluster.node(1).term, term);
  });

  // Votes that arrive, in a cluster of five, and what becomes of the candidate.
  const outcomes: [boolean[], string][] = [
    [[], "candidate"],
    [[true], "candidate"],
    [[true, true], "leader"],
    [[true, false, true], "leader"],
    [[false, false], "candidate"],
    [[false, false, true], "candidate"],
    [[false, false, false], "follower"],
    [[true, false, false, false], "follower"],
  ];
  for (const [votes, role] of outcomes) {
    it(`votes [${votes}] of five make it ${role}`, () => {
      const cluster = new Cluster({ size: 5, config: plain });
      cluster.node(1).campaign();
      cluster.work(1);
      votes.forEach((granted, i) => {
        const from = i + 2;
        cluster.node(1).step(message({ type: MessageType.voteResp, from, to: 1, term: 1, reject: !granted }));
        // A second answer from the same member counts for nothing.
        cluster.node(1).step(message({ type: MessageType.voteResp, from, to: 1, term: 1 }));
      });
      assert.equal(cluster.node(1).role, role);
    });
  }

  it("a sole member elects itself", () => {
    const cluster = new Cluster({ size: 1 });
    cluster.pass(20);
    assert.equal(cluster.node(1).role, "leader");
  });

  it("each member votes at most once in a term, first come first served, and says the same again when asked again", () => {
    const cluster = new Cluster({ size: 3, config: plain });
    const ask = (from: number) => {
      cluster.node(1).step(message({ type: MessageType.vote, from, to: 1, term: 5 }));
      cluster.work(1);
      return cluster.takeType(MessageType.voteResp).map(({ to, reject }) => [to, reject]);
    };
    assert.deepEqual(ask(2), [[2n, false]]);
    assert.deepEqual(ask(3), [[3n, true]]);
    assert.deepEqual(ask(2), [[2n, false]]);
  });

  it("a vote is not forgotten in a crash", () => {
    const cluster = new Cluster({ size: 3, config: plain });
    cluster.node(1).step(message({ type: MessageType.vote, from: 2, to: 1, term: 5 }));
    cluster.work(1);
    assert.equal(cluster.takeType(MessageType.voteResp)[0]?.reject, false);
    cluster.member(1).crash();
    cluster.member(1).restart();
    cluster.node(1).step(message({ type: MessageType.vote, from: 3, to: 1, term: 5 }));
    cluster.work(1);
    assert.equal(cluster.takeType(MessageType.voteResp)[0]?.reject, true);
  });

  it("a vote leaves only when it is on disk", () => {
    const cluster = new Cluster({ size: 3, config: plain });
    cluster.node(1).step(message({ type: MessageType.vote, from: 2, to: 1, term: 5 }));
    cluster.member(1).process();
    assert.equal(cluster.takeType(MessageType.voteResp).length, 0);
    assert.equal(cluster.member(1).disk.pending[0]?.ready.hardState?.vote, 2n);
    cluster.member(1).persistNext();
    cluster.member(1).process();
    assert.equal(cluster.takeType(MessageType.voteResp).length, 1);
  });

  it("a candidate counts its own vote only when it is on disk", () => {
    const cluster = new Cluster({ size: 3, config: plain });
    cluster.node(1).campaign();
    cluster.member(1).process();
    cluster.node(1).step(message({ type: MessageType.voteResp, from: 2, to: 1, term: 1 }));
    assert.equal(cluster.node(1).role, "candidate");
    cluster.member(1).persistNext();
    assert.equal(cluster.node(1).role, "leader");
  });

  it("a candidate follows a leader of its own term", () => {
    for (const type of [MessageType.app, MessageType.heartbeat]) {
      const cluster = new Cluster({ size: 3, config: plain });
      cluster.node(1).campaign();
      cluster.node(1).step(message({ type, from: 2, to: 1, term: 1 }));
      assert.equal(cluster.node(1).role, "follower");
      assert.equal(cluster.node(1).leader, 2n);
    }
  });

  it("a split vote ends with the next timeout, in a new term", () => {
    const cluster = new Cluster({ size: 4, config: plain });
    cluster.node(1).campaign();
    cluster.node(2).campaign();
    cluster.work(1);
    cluster.work(2);
    // 3 votes for 1, and 4 for 2.
    cluster.take(({ from, to }) => (from === 1n && to === 4n) || (from === 2n && to === 3n));
    cluster.settle();
    assert.equal(cluster.leader(), undefined);
    cluster.pass(60);
    assert.ok(cluster.leader() !== undefined);
    assert.ok(cluster.leader()!.node.term > 1);
  });
});

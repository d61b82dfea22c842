/** Section 6.4 of Ongaro's dissertation: linearizable reads. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MemberId, Term } from "../lib/ids.ts";
import { MessageType, makeMessage } from "../lib/raft-message.ts";
import { Cluster } from "./testing/cluster.ts";

const memberId = (id: number) => BigInt(id) as MemberId;
const mark = (text: string) => new TextEncoder().encode(text);

describe("6.4 linearizable reads", () => {
  it("a leader answers when a quorum has answered a heartbeat sent after the read came", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.member(1).propose("x");
    cluster.settle();
    cluster.node(1).readIndex(mark("a"));
    cluster.node(1).readIndex(mark("b"));
    cluster.work(1);
    assert.deepEqual(cluster.member(1).reads, []);
    // One round for both.
    assert.equal(cluster.wire.filter(({ type }) => type === MessageType.heartbeat).length, 2);
    cluster.settle();
    assert.deepEqual(cluster.member(1).reads, [
      { index: 2, context: mark("a") },
      { index: 2, context: mark("b") },
    ]);
  });

  it("answers to earlier heartbeats confirm nothing", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.node(1).readIndex(mark("a"));
    cluster.work(1);
    cluster.deliver();
    cluster.work(2);
    cluster.work(3);
    const answers = cluster.takeType(MessageType.heartbeatResp);
    cluster.node(1).readIndex(mark("b"));
    for (const answer of answers) cluster.deliverOne(answer);
    cluster.member(1).process();
    assert.deepEqual(cluster.member(1).reads, [{ index: 1, context: mark("a") }]);
  });

  it("a leader that lost its quorum answers no reads", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(1);
    cluster.node(1).readIndex(mark("a"));
    cluster.pass(30);
    assert.deepEqual(cluster.member(1).reads, []);
  });

  it("a new leader answers only when it has committed an entry of its term", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.core(2).leader = memberId(0);
    cluster.core(3).leader = memberId(0);
    cluster.node(2).campaign();
    // Appends of the new leader do not arrive at first.
    cluster.lose(({ type, from }) => type === MessageType.app && from === 2n);
    cluster.settle();
    assert.equal(cluster.node(2).role, "leader");
    cluster.node(2).readIndex(mark("a"));
    cluster.pass(2);
    assert.deepEqual(cluster.member(2).reads, []);
    cluster.heal();
    cluster.pass(2);
    assert.deepEqual(cluster.member(2).reads, [{ index: 2, context: mark("a") }]);
  });

  it("followers and learners get the leader's index", () => {
    const cluster = new Cluster({ size: 3, learners: 1 });
    cluster.elect(1);
    for (const id of [2, 3]) {
      assert.equal(cluster.node(id).readIndex(mark(`${id}`)), undefined);
      cluster.settle();
      assert.deepEqual(cluster.member(id).reads, [{ index: 1, context: mark(`${id}`) }]);
    }
  });

  it("the number of reads that wait is limited", () => {
    const cluster = new Cluster({ size: 3, config: { maxPendingReads: 2 } });
    cluster.elect(1);
    cluster.isolate(1);
    assert.equal(cluster.node(1).readIndex(mark("a")), undefined);
    assert.equal(cluster.node(1).readIndex(mark("b")), undefined);
    assert.equal(cluster.node(1).readIndex(mark("c")), "too many pending reads");
  });

  describe("6.4.1 with leases", () => {
    const config = { readMode: "lease", leaseMarginTicks: 1 } as const;

    it("a read needs no round while a quorum answered a recent heartbeat", () => {
      const cluster = new Cluster({ size: 3, config });
      cluster.elect(1);
      cluster.pass(1);
      cluster.node(1).readIndex(mark("a"));
      cluster.member(1).process();
      assert.equal(cluster.member(1).reads.length, 1);
    });

    it("the lease ends before any follower may vote; then a round is needed again", () => {
      const cluster = new Cluster({ size: 3, config });
      cluster.elect(1);
      cluster.pass(1);
      cluster.isolate(1);
      let leased = 0;
      for (let ticks = 1; ticks <= 20 && cluster.node(1).role === "leader"; ticks++) {
        cluster.tick(1);
        cluster.node(1).readIndex(mark(`${ticks}`));
        cluster.member(1).process();
        if (cluster.member(1).reads.length === ticks) leased = ticks;
      }
      assert.equal(leased, 7);
    });

    it("there is none after an attempt to hand leadership over", () => {
      const cluster = new Cluster({ size: 3, config });
      cluster.elect(1);
      cluster.pass(1);
      cluster.lose(({ type }) => type === MessageType.timeoutNow);
      cluster.node(1).transferLeader(memberId(2));
      cluster.pass(15);
      cluster.node(1).readIndex(mark("a"));
      cluster.member(1).process();
      assert.equal(cluster.member(1).reads.length, 0);
      cluster.settle();
      assert.equal(cluster.member(1).reads.length, 1);
    });

    it("a member that restarts keeps the promise it may have given", () => {
      const cluster = new Cluster({ size: 3, config: { ...config, preVote: false } });
      cluster.elect(1);
      cluster.pass(1);
      cluster.member(2).crash();
      cluster.member(2).restart();
      const request = { type: MessageType.vote, from: memberId(3), to: memberId(2), term: 9 as Term };
      const ask = () => {
        cluster
          .node(2)
          .step(makeMessage({ ...request, index: cluster.node(2).lastIndex, logTerm: 9 as Term }));
        cluster.work(2);
        return cluster.takeType(MessageType.voteResp).length;
      };
      assert.equal(ask(), 0);
      cluster.tick(2, 10);
      assert.equal(ask(), 1);
    });

    it("a lease needs checkQuorum", () => {
      assert.throws(() => new Cluster({ size: 1, config: { ...config, checkQuorum: false } }), /checkQuorum/);
    });
  });
});

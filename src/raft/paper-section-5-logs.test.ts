/** Sections 5.3 to 5.6 of the Raft paper: logs and safety. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RaftIndex, Term } from "../lib/ids.ts";
import { type Message, MessageType } from "../lib/raft-message.ts";
import { Cluster } from "./testing/cluster.ts";
import { makeEntry } from "./testing/member.ts";
import { message, plain, sent } from "./testing/paper.ts";

describe("5.3 log replication", () => {
  it("a leader appends a command and sends it to all; when a majority has it, it is committed and applied, and the followers learn that", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.member(1).propose("x");
    const appends = sent(cluster, MessageType.app);
    assert.deepEqual(
      appends.map(({ to, index, logTerm, entries }) => [to, index, logTerm, entries.length]),
      [
        [2n, 1, 1, 1],
        [3n, 1, 1, 1],
      ],
    );
    assert.deepEqual(cluster.member(1).machine.texts, []);
    cluster.deliverOne(cluster.take(({ to }) => to === 2n)[0]!);
    cluster.work(2);
    assert.deepEqual(cluster.member(2).machine.texts, []);
    cluster.deliverOne(cluster.takeType(MessageType.appResp)[0]!);
    cluster.work(1);
    assert.deepEqual(cluster.member(1).machine.texts, ["x"]);
    cluster.settle();
    for (const id of [2, 3]) assert.deepEqual(cluster.member(id).machine.texts, ["x"]);
  });

  it("the leader tries again until all followers have all entries", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(3);
    for (const text of ["a", "b", "c"]) {
      cluster.member(1).propose(text);
      cluster.settle();
    }
    assert.deepEqual(cluster.member(1).machine.texts, ["a", "b", "c"]);
    assert.deepEqual(cluster.member(3).machine.texts, []);
    cluster.heal();
    cluster.pass(3);
    assert.deepEqual(cluster.member(3).machine.texts, ["a", "b", "c"]);
  });

  it("needs a majority: two of five do not commit", () => {
    const cluster = new Cluster({ size: 5, config: { checkQuorum: false } });
    cluster.elect(1);
    const { commitIndex } = cluster.node(1);
    cluster.isolate(3, 4, 5);
    cluster.member(1).propose("x");
    cluster.pass(5);
    assert.equal(cluster.node(1).commitIndex, commitIndex);
    cluster.heal();
    cluster.pass(2);
    assert.equal(cluster.node(1).commitIndex, commitIndex + 1);
  });

  it("a follower refuses entries whose predecessor it does not have, and says where it stands", () => {
    const cluster = new Cluster({ size: 3, logs: { 1: [1, 2] }, config: plain });
    const cases: [index: number, logTerm: number, reject: boolean, hint: number, hintTerm: number][] = [
      [0, 0, false, 0, 0],
      [1, 1, false, 0, 0],
      [2, 2, false, 0, 0],
      [1, 2, true, 1, 1],
      [2, 3, true, 2, 2],
      [3, 3, true, 2, 2],
      // Its entry 2 has term 2, above the leader's 1 there, so nothing at 2 can match.
      [2, 1, true, 1, 1],
    ];
    for (const [index, logTerm, reject, hint, hintTerm] of cases) {
      cluster.node(1).step(message({ type: MessageType.app, from: 2, to: 1, term: 3, index, logTerm }));
      cluster.work(1);
      const answer = cluster.takeType(MessageType.appResp)[0]!;
      assert.equal(answer.reject, reject, `${index}/${logTerm}`);
      assert.equal(answer.index, index);
      if (reject) assert.deepEqual([answer.rejectHint, answer.logTerm], [hint, hintTerm]);
    }
  });

  // Logs of figure 7: the leader's, and followers (a) to (f).
  const leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  const figure7: Record<string, number[]> = {
    a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
    b: [1, 1, 1, 4],
    c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    e: [1, 1, 1, 4, 4, 4, 4],
    f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  };
  for (const [name, log] of Object.entries(figure7)) {
    it(`figure 7 (${name}): the leader makes the follower's log its own`, () => {
      const cluster = new Cluster({ size: 3, logs: { 1: leaderLog, 2: log }, config: plain });
      cluster.core(1).term = 7 as Term;
      cluster.elect(1);
      assert.equal(cluster.node(1).term, 8);
      cluster.pass(2);
      assert.deepEqual(cluster.terms(2), [...leaderLog, 8]);
      assert.deepEqual(cluster.terms(3), [...leaderLog, 8]);
      assert.equal(cluster.node(2).commitIndex, leaderLog.length + 1);
    });
  }

  it("skips a whole term for each refusal instead of a single entry", () => {
    const own = [1, ...Array<number>(100).fill(3), ...Array<number>(100).fill(5)];
    const other = [1, ...Array<number>(150).fill(2), ...Array<number>(150).fill(4)];
    const cluster = new Cluster({ size: 3, logs: { 1: own, 2: other, 3: own }, config: plain });
    let refusals = 0;
    cluster.lose(({ type, reject }) => {
      if (type === MessageType.appResp && reject) refusals++;
      return false;
    });
    cluster.elect(1);
    cluster.pass(2);
    assert.deepEqual(cluster.terms(2), cluster.terms(1));
    assert.ok(refusals <= 4, `${refusals} refusals`);
  });

  it("a leader never removes or changes an entry of its own log", () => {
    const cluster = new Cluster({ size: 3, logs: { 1: [1, 1, 2] } });
    cluster.elect(1);
    const before = cluster.terms(1);
    cluster.member(1).propose("x");
    cluster.settle();
    assert.deepEqual(cluster.terms(1).slice(0, before.length), before);
  });

  it("an acknowledgement leaves only when the entries are on disk", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.member(1).propose("x");
    cluster.work(1);
    cluster.deliver();
    const follower = cluster.member(2);
    follower.process();
    assert.equal(cluster.takeType(MessageType.appResp).length, 0);
    follower.persistNext();
    follower.process();
    assert.equal(cluster.takeType(MessageType.appResp).length, 1);
  });

  it("repeated and reordered appends do no harm", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    const kept: Message[] = [];
    cluster.lose((m) => {
      if (m.type === MessageType.app && m.to === 2n) kept.push(m);
      return false;
    });
    for (const text of ["a", "b", "c", "d"]) {
      cluster.member(1).propose(text);
      cluster.settle();
    }
    const { commitIndex } = cluster.node(2);
    for (const m of [...kept].reverse()) cluster.deliverOne(m);
    for (const m of [...kept]) cluster.deliverOne(m);
    cluster.settle();
    assert.equal(cluster.node(2).commitIndex, commitIndex);
    assert.deepEqual(cluster.member(2).machine.texts, ["a", "b", "c", "d"]);
  });

  it("an older append that says less does not cut the log", () => {
    const cluster = new Cluster({ size: 3, logs: { 1: [1, 1, 1] }, config: plain });
    const entry = (index: number) => ({
      ...makeEntry(`1/${index}`),
      term: 1 as Term,
      index: index as RaftIndex,
    });
    cluster
      .node(1)
      .step(message({ type: MessageType.app, from: 2, to: 1, term: 1, entries: [entry(1), entry(2)] }));
    assert.deepEqual(cluster.terms(1), [1, 1, 1]);
  });

  it("commit follows the leader's, but only as far as the logs are known to match", () => {
    const cluster = new Cluster({ size: 3, logs: { 1: [1, 1, 1] }, config: plain });
    // The leader has committed 3, but this append vouches for entry 1 only.
    cluster
      .node(1)
      .step(message({ type: MessageType.app, from: 2, to: 1, term: 2, index: 1, logTerm: 1, commit: 3 }));
    assert.equal(cluster.node(1).commitIndex, 1);
  });
});

describe("5.4.1 election restriction", () => {
  // The voter's log, the candidate's last term and index, and whether it may have the vote.
  const cases: [log: number[], logTerm: number, index: number, granted: boolean][] = [
    [[1], 1, 1, true],
    [[1], 1, 2, true],
    [[1, 1], 1, 1, false],
    [[1, 1], 2, 1, true],
    [[2], 1, 5, false],
    [[], 0, 0, true],
    [[1, 2], 2, 2, true],
    [[1, 2], 1, 9, false],
  ];
  for (const [log, logTerm, index, granted] of cases) {
    it(`a voter with terms [${log}] ${granted ? "votes" : "does not vote"} for a log that ends with ${logTerm}/${index}`, () => {
      const cluster = new Cluster({ size: 3, logs: { 1: log }, config: plain });
      cluster.node(1).step(message({ type: MessageType.vote, from: 2, to: 1, term: 9, logTerm, index }));
      cluster.work(1);
      assert.equal(cluster.takeType(MessageType.voteResp)[0]?.reject, !granted);
    });
  }

  it("a new leader has every committed entry", () => {
    const cluster = new Cluster({ size: 5 });
    cluster.elect(1);
    cluster.isolate(4, 5);
    cluster.member(1).propose("kept");
    cluster.settle();
    assert.deepEqual(cluster.member(1).machine.texts, ["kept"]);
    cluster.heal();
    cluster.partition([1], [2, 3, 4, 5]);
    cluster.pass(100);
    const leader = [2, 3, 4, 5].map((id) => cluster.member(id)).find(({ node }) => node.role === "leader");
    assert.ok(leader !== undefined && (leader.id === 2n || leader.id === 3n));
    for (const id of [2, 3, 4, 5]) assert.deepEqual(cluster.member(id).machine.texts, ["kept"]);
  });
});

describe("5.4.2 entries from earlier terms", () => {
  it("are not committed by counting, only with an entry of the leader's own term", () => {
    const cluster = new Cluster({ size: 3, logs: { 1: [1, 2], 2: [1, 2], 3: [1] }, config: plain });
    cluster.core(1).term = 2 as Term;
    cluster.node(1).campaign();
    cluster.work(1);
    cluster.deliver();
    cluster.work(2);
    cluster.work(3);
    cluster.deliver();
    assert.equal(cluster.node(1).role, "leader");
    const { term } = cluster.node(1);
    cluster.work(1);
    // A majority holds entries 1 and 2, but they are of earlier terms.
    cluster.node(1).step(message({ type: MessageType.appResp, from: 2, to: 1, term, index: 2 }));
    cluster.node(1).step(message({ type: MessageType.appResp, from: 3, to: 1, term, index: 2 }));
    assert.equal(cluster.node(1).commitIndex, 0);
    cluster.node(1).step(message({ type: MessageType.appResp, from: 2, to: 1, term, index: 3 }));
    assert.equal(cluster.node(1).commitIndex, 3);
  });
});

describe("5.4.3 safety", () => {
  it("a vote for one who lacks a committed entry cannot be had from a majority", () => {
    // Three of five hold the committed entry 2/2. Who lacks it never wins, in whatever order votes come.
    const logs = { 1: [1, 2], 2: [1, 2], 3: [1, 2], 4: [1], 5: [1] };
    const cluster = new Cluster({ size: 5, logs, config: plain });
    for (let attempt = 0; attempt < 20; attempt++) {
      cluster.node(4 + (attempt % 2)).campaign();
      cluster.settle();
      assert.equal(cluster.leader(), undefined);
    }
    cluster.node(1).campaign();
    cluster.settle();
    assert.equal(cluster.node(1).role, "leader");
  });
});

describe("5.5 and 5.6: crashes and time", () => {
  it("a crashed follower catches up when it is back", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.member(2).crash();
    for (const text of ["a", "b"]) cluster.member(1).propose(text);
    cluster.settle();
    assert.deepEqual(cluster.member(1).machine.texts, ["a", "b"]);
    cluster.member(2).restart();
    cluster.pass(3);
    assert.deepEqual(cluster.member(2).machine.texts, ["a", "b"]);
  });

  it("entries that were on their way to the disk are lost with a crash, and nobody counted them", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(3);
    cluster.member(1).propose("x");
    cluster.work(1);
    cluster.deliver();
    cluster.member(2).process();
    cluster.member(2).crash();
    cluster.member(2).restart();
    assert.equal(cluster.node(2).lastIndex, 1);
    assert.equal(cluster.node(1).commitIndex, 1);
  });

  it("a deposed leader's uncommitted entries give way", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.isolate(1);
    cluster.member(1).propose("lost");
    cluster.settle();
    cluster.elect(2);
    cluster.member(2).propose("kept");
    cluster.settle();
    cluster.heal();
    cluster.pass(3);
    assert.equal(cluster.node(1).role, "follower");
    for (const id of [1, 2, 3]) assert.deepEqual(cluster.member(id).machine.texts, ["kept"]);
    assert.deepEqual(cluster.terms(1), cluster.terms(2));
  });
});

/** How much a leader sends, and when. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MemberId, RaftIndex, Term } from "../lib/ids.ts";
import { type Message, MessageType } from "../lib/raft-message.ts";
import { RawNode } from "./raw-node.ts";
import { Cluster, type ClusterOptions } from "./testing/cluster.ts";
import { makeEntry } from "./testing/member.ts";

const id = (n: number) => BigInt(n) as MemberId;

/** A leader of two whose follower replicates. */
function leading(config: ClusterOptions["config"] = {}): Cluster {
  const cluster = new Cluster({ size: 2, config: { checkQuorum: false, ...config } });
  cluster.elect(1);
  assert.equal(progress(cluster).state, "replicate");
  return cluster;
}

const progress = (cluster: Cluster) => cluster.node(1).status().progress.get(id(2))!;

/** What the leader sends now, taken off the wire. */
function appends(cluster: Cluster): Message[] {
  cluster.work(1);
  return cluster.takeType(MessageType.app);
}

describe("appends", () => {
  it("of one turn go together, whatever the number of proposals", () => {
    const cluster = leading();
    for (let i = 0; i < 100; i++) cluster.member(1).propose(`${i}`);
    const sent = appends(cluster);
    assert.equal(sent.length, 1);
    assert.equal(sent[0]!.entries.length, 100);
  });

  it("are cut by bytes, and an entry that is larger goes alone", () => {
    const cluster = leading({ maxMessageBytes: 200 });
    for (const size of [68, 68, 68, 1000, 68]) cluster.member(1).propose("x".repeat(size));
    assert.deepEqual(
      appends(cluster).map(({ entries }) => entries.length),
      [2, 1, 1, 1],
    );
  });

  it("are streamed without waiting, until the window is full by number", () => {
    const cluster = leading({ maxInflightMessages: 3 });
    for (let i = 0; i < 5; i++) {
      cluster.member(1).propose("x");
      assert.equal(appends(cluster).length, i < 3 ? 1 : 0);
    }
    assert.equal(progress(cluster).inflightFull, true);
    assert.equal(progress(cluster).next, cluster.node(1).lastIndex - 1);
  });

  it("or by bytes", () => {
    const cluster = leading({ maxMessageBytes: 100, maxInflightBytes: 250 });
    for (let i = 0; i < 5; i++) cluster.member(1).propose("x".repeat(68));
    assert.equal(appends(cluster).length, 3);
    assert.equal(progress(cluster).inflightBytes, 300);
  });

  it("go on as they are acknowledged", () => {
    const cluster = leading({ maxMessageBytes: 1, maxInflightMessages: 3 });
    for (let i = 0; i < 6; i++) cluster.member(1).propose("x");
    const first = appends(cluster);
    assert.equal(first.length, 3);
    const { term } = cluster.node(1);
    const index = (first[1]!.index + 1) as RaftIndex;
    cluster.deliverOne({
      ...first[0]!,
      type: MessageType.appResp,
      from: id(2),
      to: id(1),
      term,
      index,
      entries: [],
    });
    assert.deepEqual(
      appends(cluster).map(({ entries }) => entries.length),
      [1, 1],
    );
  });

  it("to a full window: one empty one for each answered heartbeat, so that a total loss is noticed", () => {
    const cluster = leading({ maxMessageBytes: 1, maxInflightMessages: 2 });
    for (let i = 0; i < 4; i++) cluster.member(1).propose("x");
    assert.equal(appends(cluster).length, 2);
    for (let round = 0; round < 3; round++) {
      cluster.tick(1);
      cluster.work(1);
      cluster.deliver();
      cluster.work(2);
      cluster.deliver();
      const sent = appends(cluster);
      assert.deepEqual(
        sent.map(({ entries }) => entries.length),
        [0],
      );
    }
    // The empty ones are refused, and then everything is sent again.
    cluster.pass(3);
    assert.equal(progress(cluster).match, cluster.node(1).lastIndex);
  });

  it("tell a new commit index even when there are no entries, but only once", () => {
    const cluster = new Cluster({ size: 3 });
    cluster.elect(1);
    cluster.member(1).propose("x");
    cluster.work(1);
    cluster.deliver();
    cluster.work(2);
    cluster.work(3);
    const answers = cluster.takeType(MessageType.appResp);
    cluster.deliverOne(answers[0]!);
    const commits = appends(cluster);
    assert.deepEqual(
      commits.map(({ to, commit, entries }) => [to, commit, entries.length]),
      [
        [2n, 2, 0],
        [3n, 2, 0],
      ],
    );
    cluster.deliverOne(answers[1]!);
    assert.equal(appends(cluster).length, 0);
  });

  it("to one that does not answer do not hold up the others", () => {
    const cluster = new Cluster({ size: 3, config: { maxInflightMessages: 2, checkQuorum: false } });
    cluster.elect(1);
    cluster.isolate(3);
    for (let i = 0; i < 20; i++) {
      cluster.member(1).propose("x");
      cluster.settle();
    }
    assert.equal(cluster.node(2).commitIndex, cluster.node(1).lastIndex);
  });
});

describe("a probe", () => {
  it("is one message, and the next one after an answer", () => {
    const cluster = leading();
    cluster.node(1).reportUnreachable(id(2));
    assert.equal(progress(cluster).state, "probe");
    for (let i = 0; i < 3; i++) {
      cluster.member(1).propose("x");
      assert.equal(appends(cluster).length, i === 0 ? 1 : 0);
    }
    // What was lost is sent again when a heartbeat is answered.
    cluster.pass(2);
    assert.equal(progress(cluster).state, "replicate");
    assert.equal(progress(cluster).match, cluster.node(1).lastIndex);
  });

  it("of a member that has everything ends with the answer to an empty append", () => {
    const cluster = leading();
    cluster.node(1).reportUnreachable(id(2));
    cluster.pass(1);
    assert.equal(progress(cluster).state, "replicate");
  });
});

describe("entries that left memory", () => {
  it("are sent from the older log if there is one, and no snapshot is needed", () => {
    const terms = 30;
    const older = Array.from({ length: terms }, (_, i) => ({
      ...makeEntry(`${i + 1}`),
      term: 1 as Term,
      index: (i + 1) as RaftIndex,
    }));
    const cluster = new Cluster({ size: 2, config: { checkQuorum: false } });
    const confState = cluster.confState;
    const node = new RawNode(
      {
        id: id(1),
        electionTicks: 10,
        heartbeatTicks: 1,
        randomBelow: () => 0,
        preVote: false,
        maxMessageBytes: 300,
      },
      {
        snapshot: { index: 30 as RaftIndex, term: 1 as Term, confState },
        entries: [],
        applied: 30 as RaftIndex,
        hardState: { term: 1 as Term, vote: id(0), commit: 30 as RaftIndex },
        confState,
        older: {
          term: (index) => older[index - 1]?.term,
          entries: (from, to) => older.slice(from - 1, Math.min(to - 1, from + 4)),
        },
      },
    );
    const sent = new Map<MessageType, number>();
    node.campaign();
    for (let round = 0; round < 40; round++) {
      node.tick();
      while (node.hasReady()) {
        const ready = node.ready();
        if (ready.token !== 0) node.persisted(ready.token);
        const last = ready.committedEntries.at(-1);
        if (last !== undefined) node.applied(last.index);
        for (const message of ready.messages) {
          sent.set(message.type, (sent.get(message.type) ?? 0) + 1);
          cluster.deliverOne(message);
        }
      }
      cluster.work(2);
      for (const message of cluster.take(({ to }) => to === 1n)) node.step(message);
    }
    assert.equal(cluster.node(2).lastIndex, 31);
    assert.equal(cluster.node(2).commitIndex, 31);
    assert.equal(sent.get(MessageType.snap), undefined);
  });
});

describe("memory", () => {
  it("keeps what an active follower needs, until the limit in bytes", () => {
    const cluster = new Cluster({
      size: 3,
      config: { keepEntries: 0, maxLogBytes: 5_000, checkQuorum: false, electionTicks: 1000 },
    });
    cluster.elect(1);
    cluster.isolate(3);
    const propose = () => {
      cluster.member(1).propose("x".repeat(68));
      cluster.settle();
      const { node, machine } = cluster.member(1);
      node.createSnapshot(node.appliedIndex, machine.confState);
    };
    for (let i = 0; i < 20; i++) propose();
    assert.equal(cluster.node(1).status().firstIndex, 2);
    for (let i = 0; i < 80; i++) propose();
    const { firstIndex, logBytes } = cluster.node(1).status();
    assert.ok(firstIndex > 40 && logBytes <= 5_000, `${firstIndex} ${logBytes}`);
    cluster.heal();
    cluster.pass(4);
    assert.deepEqual(cluster.member(3).machine.texts, cluster.member(1).machine.texts);
  });

  it("does not keep entries for a member that is away", () => {
    const cluster = new Cluster({ size: 3, config: { keepEntries: 0 } });
    cluster.elect(1);
    cluster.isolate(3);
    cluster.member(1).propose("x");
    cluster.pass(25);
    const { node, machine } = cluster.member(1);
    node.createSnapshot(node.appliedIndex, machine.confState);
    assert.equal(node.status().firstIndex, node.lastIndex + 1);
  });

  it("a leader that makes no progress refuses more than maxUncommittedBytes", () => {
    const cluster = leading({ maxUncommittedBytes: 100 });
    cluster.isolate(2);
    assert.equal(cluster.member(1).propose("x".repeat(90)), undefined);
    assert.equal(cluster.member(1).propose("x".repeat(20)), "too many uncommitted bytes");
    assert.equal(cluster.node(1).status().uncommittedBytes, 90);
    cluster.heal();
    cluster.pass(2);
    assert.equal(cluster.node(1).status().uncommittedBytes, 0);
    assert.equal(cluster.member(1).propose("x".repeat(20)), undefined);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MemberId, RaftIndex, Term } from "../lib/ids.ts";
import { type Entry, EntryType } from "../lib/raft-entry.ts";
import { MessageType, makeMessage } from "../lib/raft-message.ts";
import { freshStart } from "./bootstrap.ts";
import type { RaftConfig } from "./config.ts";
import type { RaftStart } from "./log/start.ts";
import { RawNode } from "./raw-node.ts";

const id = 1n as MemberId;

function config(extra: Partial<RaftConfig> = {}): RaftConfig {
  return { id, electionTicks: 10, heartbeatTicks: 1, randomBelow: () => 0, ...extra };
}

function entry(text: string): Entry {
  const data = Uint8Array.from([...text], (letter) => letter.charCodeAt(0));
  return { type: EntryType.normal, term: 0 as Term, index: 0 as RaftIndex, data };
}

/** A sole voter that leads and has applied everything. */
function leading(extra: Partial<RaftConfig> = {}, start: RaftStart = freshStart): RawNode {
  const node = new RawNode(config(extra), start);
  if (start === freshStart) node.bootstrap([{ id }]);
  settle(node);
  node.campaign();
  settle(node);
  assert.equal(node.role, "leader");
  return node;
}

/** Does all the work there is; returns the committed entries. */
function settle(node: RawNode): Entry[] {
  const committed: Entry[] = [];
  while (node.hasReady()) {
    const ready = node.ready();
    if (ready.token !== 0) node.persisted(ready.token);
    committed.push(...ready.committedEntries);
    const last = ready.committedEntries.at(-1);
    if (last !== undefined) node.applied(last.index);
  }
  return committed;
}

describe("a sole voter", () => {
  it("wins in the call that makes it campaign, and writes term, vote and first entry together", () => {
    const node = new RawNode(config(), freshStart);
    node.bootstrap([{ id }]);
    node.campaign();
    assert.equal(node.role, "leader");
    const ready = node.ready();
    assert.deepEqual(ready.softState, { leader: id, role: "leader" });
    assert.deepEqual(ready.hardState, { term: 2, vote: id, commit: 1 });
    assert.deepEqual(
      ready.entries.map(({ term, index, type }) => [term, index, type]),
      [
        [1, 1, EntryType.confChange],
        [2, 2, EntryType.normal],
      ],
    );
    assert.equal(ready.mustSync, true);
    assert.deepEqual(ready.committedEntries, []);
  });

  it("commits an entry when it is on disk and not before", () => {
    const node = leading();
    const entries = [entry("a"), entry("b")];
    assert.equal(node.propose(entries), undefined);
    assert.deepEqual(
      entries.map(({ term, index }) => [term, index]),
      [
        [2, 3],
        [2, 4],
      ],
    );
    const first = node.ready();
    assert.deepEqual(first.entries, entries);
    assert.deepEqual(first.committedEntries, []);
    assert.equal(node.hasReady(), false);
    node.persisted(first.token);
    const second = node.ready();
    assert.equal(second.mustSync, false);
    assert.equal(second.token, 0);
    assert.equal(second.hardState?.commit, 4);
    // The very objects that were proposed.
    assert.equal(second.committedEntries[0], entries[0]);
    assert.equal(second.committedEntries[1], entries[1]);
  });

  it("lets several writes be under way, and takes a late report for the earlier ones too", () => {
    const node = leading();
    node.propose([entry("a")]);
    const first = node.ready();
    node.propose([entry("b")]);
    const second = node.ready();
    node.propose([entry("c")]);
    const third = node.ready();
    assert.ok(first.token < second.token && second.token < third.token);
    node.persisted(second.token);
    assert.equal(node.commitIndex, 4);
    node.persisted(third.token);
    assert.equal(node.commitIndex, 5);
    assert.throws(() => node.persisted(third.token + 1), /never given out/);
  });

  it("hands out committed entries within the byte limit, and waits for them to be applied", () => {
    const node = leading({ maxApplyingBytes: 250 });
    const entries = Array.from({ length: 10 }, () => entry("x".repeat(68)));
    node.propose(entries);
    node.persisted(node.ready().token);
    const slices: number[] = [];
    while (node.hasReady()) {
      const { committedEntries } = node.ready();
      slices.push(committedEntries.length);
      // What is still being applied counts: only the rest of the limit is handed out meanwhile.
      const more = node.ready().committedEntries;
      slices.push(more.length);
      assert.equal(node.hasReady(), false);
      assert.deepEqual(node.ready().committedEntries, []);
      node.applied((more.at(-1) ?? committedEntries.at(-1)!).index);
    }
    assert.deepEqual(slices, [2, 1, 2, 1, 2, 1, 1, 0]);
  });

  it("answers reads at once, but only after it committed an entry of its term", () => {
    const node = new RawNode(config(), freshStart);
    node.bootstrap([{ id }]);
    settle(node);
    node.campaign();
    const context = Uint8Array.of(7);
    assert.equal(node.readIndex(context), undefined);
    const first = node.ready();
    assert.deepEqual(first.readStates, []);
    node.persisted(first.token);
    assert.deepEqual(node.ready().readStates, [{ index: 2, context }]);
    node.applied(2 as RaftIndex);
    node.readIndex(context);
    assert.deepEqual(node.ready().readStates, [{ index: 2, context }]);
  });

  it("refuses what would leave too many bytes uncommitted", () => {
    const node = leading({ maxUncommittedBytes: 10 });
    // However large, the first one is taken.
    assert.equal(node.propose([entry("x".repeat(20))]), undefined);
    assert.equal(node.propose([entry("y")]), "too many uncommitted bytes");
    assert.equal(node.propose([entry("")]), undefined);
    settle(node);
    assert.equal(node.propose([entry("y")]), undefined);
  });

  it("goes on where its disk left it", () => {
    const node = leading();
    node.propose([entry("a"), entry("b")]);
    const ready = node.ready();
    const before = [...ready.entries];
    const node2 = new RawNode(config(), {
      snapshot: { index: 2 as RaftIndex, term: 2 as Term, confState: node.confState },
      entries: before,
      applied: 3 as RaftIndex,
      hardState: { term: 2 as Term, vote: id, commit: 2 as RaftIndex },
      confState: node.confState,
    });
    // What is applied is committed, though the commit index on disk lags.
    assert.equal(node2.commitIndex, 3);
    assert.equal(node2.hasReady(), false);
    node2.campaign();
    assert.deepEqual(
      settle(node2).map(({ index, term }) => [index, term]),
      [
        [4, 2],
        [5, 3],
      ],
    );
  });

  it("refuses proposals while it does not lead", () => {
    const node = new RawNode(config(), freshStart);
    node.bootstrap([{ id }]);
    assert.equal(node.propose([entry("a")]), "no leader");
    assert.equal(node.readIndex(Uint8Array.of(1)), "no leader");
  });
});

describe("messages from the network", () => {
  it("that are local, or answers from strangers, are ignored", () => {
    const node = leading();
    const { term } = node;
    const from = 9n as MemberId;
    for (const type of [MessageType.hup, MessageType.checkQuorum, MessageType.storageAppendResp]) {
      node.step(makeMessage({ type, from, term: (term + 5) as Term }));
    }
    for (const type of [MessageType.appResp, MessageType.heartbeatResp, MessageType.voteResp]) {
      node.step(makeMessage({ type, from, term: (term + 5) as Term }));
    }
    assert.equal(node.role, "leader");
    assert.equal(node.term, term);
  });
});

describe("the log in memory", () => {
  it("is trimmed behind the snapshot mark, keeping some entries, and bounded in bytes", () => {
    const node = leading({ keepEntries: 10, maxLogBytes: 10_000 });
    for (let i = 0; i < 100; i++) node.propose([entry("x".repeat(8))]);
    settle(node);
    node.createSnapshot(50 as RaftIndex, node.confState);
    assert.equal(node.status().firstIndex, 51);
    node.createSnapshot(node.appliedIndex, node.confState);
    assert.equal(node.status().firstIndex, node.lastIndex - 9);
    assert.throws(() => node.compactLog((node.lastIndex + 1) as RaftIndex), /beyond/);
    node.propose(Array.from({ length: 9 }, () => entry("x".repeat(2000))));
    settle(node);
    node.createSnapshot(node.appliedIndex, node.confState);
    assert.ok(node.status().logBytes <= 10_000);
    assert.ok(node.status().logBytes >= 8_000);
  });

  it("refuses to begin with a commit index beyond its end", () => {
    assert.throws(
      () =>
        new RawNode(config(), {
          ...freshStart,
          hardState: { term: 1 as Term, vote: id, commit: 3 as RaftIndex },
        }),
      /commit 3 is out of range/,
    );
  });
});

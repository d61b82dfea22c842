import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MemberId } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import { emptyConfState } from "../../lib/raft-entry.ts";
import { Inflights } from "./inflights.ts";
import { Progress } from "./progress.ts";
import { Tracker } from "./tracker.ts";

const limits = { maxMessages: 3, maxBytes: Number.POSITIVE_INFINITY };

describe("the in-flight window", () => {
  it("is full at its number of messages, and frees what is acknowledged", () => {
    const window = new Inflights(limits);
    for (const index of [5, 7, 9]) window.add(index, 10);
    assert.equal(window.full, true);
    assert.throws(() => window.add(11, 1), /full/);
    window.freeTo(4);
    assert.equal(window.count, 3);
    window.freeTo(8);
    assert.deepEqual([window.count, window.bytes], [1, 10]);
    window.freeTo(100);
    assert.deepEqual([window.count, window.bytes], [0, 0]);
  });

  it("is full at its bytes, counting the message that crosses the limit", () => {
    const window = new Inflights({ maxMessages: 100, maxBytes: 100 });
    window.add(1, 99);
    assert.equal(window.full, false);
    window.add(2, 500);
    assert.equal(window.full, true);
    window.freeTo(1);
    assert.equal(window.full, true);
    window.freeTo(2);
    assert.equal(window.full, false);
  });

  it("behaves as a plain list does", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const prng = new Prng(seed);
      const maxMessages = 1 + prng.below(20);
      const window = new Inflights({ maxMessages, maxBytes: 300 });
      let list: { index: number; bytes: number }[] = [];
      let index = 0;
      for (let step = 0; step < 300; step++) {
        const bytes = list.reduce((sum, message) => sum + message.bytes, 0);
        assert.equal(window.full, list.length >= maxMessages || bytes >= 300, `seed ${seed}`);
        assert.deepEqual([window.count, window.bytes], [list.length, bytes], `seed ${seed}`);
        if (!window.full && prng.chance(0.6)) {
          index += 1 + prng.below(3);
          const size = prng.below(60);
          window.add(index, size);
          list.push({ index, bytes: size });
        } else {
          const to = index - prng.below(10);
          window.freeTo(to);
          list = list.filter((message) => message.index > to);
        }
      }
    }
  });
});

describe("a member's progress", () => {
  const progress = (match: number, next: number) => new Progress({ match, next, isLearner: false, limits });

  it("probes one message at a time", () => {
    const member = progress(0, 5);
    assert.equal(member.isPaused, false);
    member.sentEntries(2, 10);
    assert.equal(member.isPaused, true);
    assert.equal(member.next, 5);
  });

  it("streams while it replicates, until the window is full", () => {
    const member = progress(4, 5);
    member.becomeReplicate();
    for (let i = 0; i < 3; i++) {
      assert.equal(member.isPaused, false);
      member.sentEntries(2, 10);
    }
    assert.equal(member.next, 11);
    assert.equal(member.isPaused, true);
    assert.equal(member.acknowledge(6), true);
    member.inflights.freeTo(6);
    assert.equal(member.isPaused, false);
    assert.deepEqual([member.match, member.next], [6, 11]);
  });

  it("takes an acknowledgement only forwards", () => {
    const member = progress(4, 9);
    assert.equal(member.acknowledge(4), false);
    assert.equal(member.acknowledge(3), false);
    assert.equal(member.acknowledge(12), true);
    assert.deepEqual([member.match, member.next], [12, 13]);
  });

  // While replicating: a refusal at or below the match is old. While probing: one that is not for the probe is old.
  const refusals: [
    state: "probe" | "replicate",
    match: number,
    next: number,
    rejected: number,
    hint: number,
    to: number,
  ][] = [
    ["replicate", 5, 10, 5, 5, 10],
    ["replicate", 5, 10, 4, 4, 10],
    ["replicate", 5, 10, 9, 9, 6],
    ["probe", 0, 10, 9, 2, 3],
    ["probe", 0, 10, 5, 2, 10],
    ["probe", 0, 10, 9, 0, 1],
    ["probe", 5, 10, 9, 2, 6],
    ["probe", 0, 10, 9, 50, 9],
  ];
  for (const [state, match, next, rejected, hint, to] of refusals) {
    it(`${state} ${match}/${next}: refused at ${rejected} with hint ${hint}, goes on at ${to}`, () => {
      const member = progress(match, next);
      if (state === "replicate") member.becomeReplicate();
      member.next = next;
      member.paused = true;
      assert.equal(member.retreat(rejected, hint), to !== next);
      assert.equal(member.next, to);
    });
  }

  it("goes on behind a snapshot that was delivered, and where it was after one that was not", () => {
    const delivered = progress(1, 5);
    delivered.becomeSnapshot(20);
    assert.equal(delivered.isPaused, true);
    delivered.becomeProbe();
    assert.equal(delivered.next, 21);
    const failed = progress(1, 5);
    failed.becomeSnapshot(20);
    failed.pendingSnapshot = 0;
    failed.becomeProbe();
    assert.equal(failed.next, 2);
    assert.throws(() => delivered.becomeSnapshot(30) ?? delivered.sentEntries(1, 1), /snapshot/);
  });

  it("is told a commit index only if it can use it", () => {
    const member = progress(5, 6);
    member.becomeReplicate();
    assert.equal(member.canBumpCommit(3), true);
    member.sentCommit = 3;
    assert.equal(member.canBumpCommit(3), false);
    assert.equal(member.canBumpCommit(9), true);
    member.sentCommit = 5;
    assert.equal(member.canBumpCommit(9), false);
  });
});

describe("the tracker", () => {
  const id = (n: number) => BigInt(n) as MemberId;

  it("keeps the progress of who stays, forgets who goes, and begins anew with who comes", () => {
    const tracker = new Tracker(limits);
    tracker.reconfigure({ ...emptyConfState, voters: [id(1), id(2)], learners: [id(3)] }, 10);
    tracker.progress.get(id(2))!.acknowledge(7);
    tracker.reconfigure({ ...emptyConfState, voters: [id(2), id(3), id(4)] }, 20);
    assert.deepEqual([...tracker.progress.keys()], [2n, 3n, 4n]);
    assert.equal(tracker.progress.get(id(2))!.match, 7);
    assert.equal(tracker.progress.get(id(3))!.isLearner, false);
    assert.equal(tracker.progress.get(id(4))!.next, 20);
    assert.equal(tracker.progress.get(id(4))!.recentActive, true);
    tracker.reconfigure({ ...emptyConfState, voters: [id(3), id(4)] }, 20);
    tracker.reconfigure({ ...emptyConfState, voters: [id(2), id(3), id(4)] }, 20);
    assert.equal(tracker.progress.get(id(2))!.match, 0);
  });

  it("orders members by id, whatever order they come in", () => {
    const tracker = new Tracker(limits);
    const large = 0xffffffffffffffffn as MemberId;
    tracker.reconfigure(
      { ...emptyConfState, voters: [large, id(3)], votersOutgoing: [id(9), id(1)], learners: [id(4)] },
      1,
    );
    assert.deepEqual([...tracker.progress.keys()], [1n, 3n, 4n, 9n, large]);
    assert.deepEqual(tracker.voterIds(), [1n, 3n, 9n, large]);
  });
});

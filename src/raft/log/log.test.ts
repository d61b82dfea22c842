import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RaftIndex, Term } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import { type Entry, emptyConfState } from "../../lib/raft-entry.ts";
import { makeEntry } from "../testing/member.ts";
import { RaftLog } from "./raft-log.ts";
import { EntryWindow, entryBytes } from "./window.ts";

function entry(index: number, term = 1, text = "x"): Entry {
  return { ...makeEntry(text), term: term as Term, index: index as RaftIndex };
}

function logOf(
  terms: readonly number[],
  options: { commit?: number; applied?: number; maxApplying?: number } = {},
) {
  return new RaftLog(
    {
      snapshot: undefined,
      entries: terms.map((term, i) => entry(i + 1, term)),
      commit: (options.commit ?? 0) as RaftIndex,
      applied: (options.applied ?? 0) as RaftIndex,
    },
    options.maxApplying ?? 1000,
  );
}

describe("the window of entries", () => {
  it("behaves as an array does", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const prng = new Prng(seed);
      let first = 1 + prng.below(5);
      const window = new EntryWindow(first as RaftIndex);
      let model: Entry[] = [];
      for (let step = 0; step < 3000; step++) {
        const last = first + model.length - 1;
        const roll = prng.below(100);
        if (roll < 90) {
          const added = entry(last + 1, 1, "x".repeat(prng.below(9)));
          window.push(added);
          model.push(added);
        } else if (roll < 93 && model.length > 0) {
          const from = last - prng.below(Math.min(10, model.length));
          window.truncateFrom(from);
          model = model.slice(0, from - first);
        } else if (roll < 96 && model.length > 0) {
          const to = first + prng.below(Math.min(model.length, 200));
          window.dropTo(to);
          model = model.slice(to - first + 1);
          first = to + 1;
        } else if (roll === 99 && prng.chance(0.02)) {
          first = last + 10;
          window.restart(first as RaftIndex);
          model = [];
        }
        assert.equal(window.first, first, `seed ${seed}`);
        assert.equal(window.last, first + model.length - 1, `seed ${seed}`);
      }
      assert.deepEqual(window.slice(first, window.last + 1), model);
      assert.equal(
        window.bytes,
        model.reduce((sum, one) => sum + entryBytes(one), 0),
      );
    }
  });

  it("gives slices by bytes, one entry at least", () => {
    const window = new EntryWindow(1 as RaftIndex);
    for (let index = 1; index <= 4; index++) window.push(entry(index, 1, "x".repeat(68)));
    assert.equal(window.sliceBytes(1, 5, 250).entries.length, 2);
    assert.equal(window.sliceBytes(2, 5, 1).entries.length, 1);
    assert.equal(window.sliceBytes(2, 4, 9999).entries.length, 2);
    assert.equal(window.sliceBytes(3, 3, 9999).entries.length, 0);
    assert.throws(() => window.slice(0, 2), /outside/);
    assert.throws(() => window.slice(3, 6), /outside/);
  });
});

describe("a log", () => {
  it("finds where another one may match, a term at a time", () => {
    const log = logOf([2, 2, 5, 5, 5]);
    const cases: [index: number, term: number, at: number, atTerm: number][] = [
      [5, 5, 5, 5],
      [5, 4, 2, 2],
      [5, 1, 0, 0],
      [3, 9, 3, 5],
      [9, 5, 9, 0],
    ];
    for (const [index, term, at, atTerm] of cases) {
      assert.deepEqual(log.findConflict(index, term as Term), { index: at, term: atTerm });
    }
  });

  it("replaces what conflicts and keeps what does not", () => {
    const log = logOf([1, 1, 2, 2]);
    assert.equal(log.appendFromLeader(1, [entry(2, 1), entry(3, 2)]), 3);
    assert.equal(log.last, 4);
    assert.equal(log.appendFromLeader(2, [entry(3, 3), entry(4, 3), entry(5, 3)]), 5);
    assert.deepEqual(
      [1, 2, 3, 4, 5].map((index) => log.term(index)),
      [1, 1, 3, 3, 3],
    );
    // What was replaced is no longer durable.
    assert.equal(log.stable, 2);
  });

  it("never replaces what is committed, and never lowers the commit index", () => {
    const log = logOf([1, 1, 1], { commit: 2 });
    assert.throws(() => log.appendFromLeader(1, [entry(2, 2)]), /conflicts with a committed entry/);
    log.commitTo(1);
    assert.equal(log.committed, 2);
    assert.throws(() => log.commitTo(4), /out of range/);
  });

  it("refuses entries with holes or with terms that go back", () => {
    const log = logOf([1, 2]);
    assert.throws(() => log.appendFromLeader(2, [entry(4, 2)]), /in the place of 3/);
    assert.throws(() => log.appendFromLeader(2, [entry(3, 1)]), /goes back/);
  });

  it("applies in order, what is committed and durable only", () => {
    const log = logOf([1, 1, 1], { commit: 2 });
    log.append(entry(4));
    log.commitTo(4);
    assert.deepEqual(
      log.takeCommitted().map(({ index }) => index),
      [1, 2, 3],
    );
    assert.equal(log.hasUnapplied, false);
    assert.throws(() => log.appliedTo(4), /out of range/);
    log.appliedTo(3);
    assert.throws(() => log.appliedTo(2), /out of range/);
    log.takeUnwritten();
    log.stableTo(4);
    assert.deepEqual(
      log.takeCommitted().map(({ index }) => index),
      [4],
    );
    assert.throws(() => log.stableTo(5), /never written/);
  });

  it("begins with what the disk has after a snapshot, or right after its first entry", () => {
    const mark = { index: 5 as RaftIndex, term: 2 as Term, confState: emptyConfState };
    const after = new RaftLog(
      { snapshot: mark, entries: [entry(6, 3)], commit: 6 as RaftIndex, applied: 5 as RaftIndex },
      1000,
    );
    assert.deepEqual([after.first, after.last, after.term(5), after.term(6)], [6, 6, 2, 3]);
    const before = new RaftLog(
      {
        snapshot: mark,
        entries: [entry(3, 1), entry(4, 2), entry(5, 2)],
        commit: 5 as RaftIndex,
        applied: 5 as RaftIndex,
      },
      1000,
    );
    assert.deepEqual([before.first, before.last, before.term(3), before.term(2)], [4, 5, 1, undefined]);
    assert.throws(
      () =>
        new RaftLog(
          { snapshot: mark, entries: [entry(8, 3)], commit: 8 as RaftIndex, applied: 5 as RaftIndex },
          1,
        ),
      /not known/,
    );
    assert.throws(
      () =>
        new RaftLog(
          {
            snapshot: mark,
            entries: [entry(6, 3), entry(8, 3)],
            commit: 6 as RaftIndex,
            applied: 5 as RaftIndex,
          },
          1,
        ),
      /hole/,
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EtcdError } from "../errors/etcd-error.ts";
import { finish } from "../lib/steps.ts";
import { MvccStore } from "../mvcc/store.ts";
import { storeFixture } from "../mvcc/testing/fixture.ts";
import { putRequest, term } from "../mvcc/testing/requests.ts";
import { RevisionTimes, timesBucket } from "./revision-times.ts";

/** A store whose puts are noted as the server notes them. */
function world() {
  const fixture = storeFixture();
  let nowMs = 1_000_000;
  const clock = { wallMs: () => nowMs };
  let store = fixture.store;
  let times = new RevisionTimes(store, clock, 1_000_000);
  return {
    fixture,
    at: (ms: number) => times.at(ms),
    setTime: (ms: number) => {
      nowMs = ms;
    },
    /** Puts at a time, and gives the revision. */
    put: (ms: number) => {
      nowMs = ms;
      store.applyPut(putRequest("k", String(ms)), fixture.next(), term);
      times.note();
      return store.revision;
    },
    compact: (revision: number) => fixture.compact(revision),
    flush: () => fixture.flush(),
    rows: () => finish(store.readMeta(timesBucket)).size,
    /** A new run on what the backend has; what was only in the overlay is applied again by the server. */
    restart: () => {
      store = new MvccStore({ backend: fixture.backend, leases: { has: () => false } });
      times = new RevisionTimes(store, clock, 1_000_000);
    },
  };
}

const says = (text: string) => (error: unknown) => error instanceof EtcdError && error.message.includes(text);

describe("the time of revisions", () => {
  for (const where of ["the overlay", "the backend"]) {
    it(`finds what was the newest, in ${where}`, () => {
      const { put, at, flush, setTime } = world();
      const made: { ms: number; revision: number }[] = [];
      for (let ms = 2_000_000; ms < 2_200_000; ms += 1_700) made.push({ ms, revision: put(ms) });
      if (where === "the backend") flush();
      setTime(2_300_000);
      for (let i = 0; i < made.length; i++) {
        const { ms, revision } = made[i]!;
        for (const later of [0, 1, 1_699]) {
          assert.deepEqual(at(ms + later), { revision, latestRevision: revision, isUncertain: false });
        }
      }
      assert.equal(at(2_300_000).revision, made.at(-1)!.revision);
    });
  }

  it("tells what may have been, where more was made within a second", () => {
    const { put, at, setTime, rows } = world();
    const first = put(5_000_000);
    const second = put(5_000_400);
    const third = put(5_001_100);
    setTime(6_000_000);
    assert.equal(rows(), 2);
    assert.deepEqual(at(5_000_500), { revision: first, latestRevision: second, isUncertain: false });
    assert.deepEqual(at(5_001_000), { revision: second, latestRevision: second, isUncertain: false });
    assert.equal(at(5_001_100).revision, third);
  });

  it("refuses what it cannot know", () => {
    const { put, at, setTime } = world();
    assert.throws(() => at(900_000), says("no record"));
    put(2_000_000);
    assert.throws(() => at(1_999_999), says("before this member's record"));
    assert.throws(() => at(2_000_001), says("in the future"));
    setTime(2_000_001);
    assert.equal(at(2_000_001).revision, 2);
  });

  it("refuses what is compacted, and forgets it", () => {
    const { put, at, compact, rows, flush } = world();
    for (let i = 0; i < 20; i++) put(2_000_000 + 2_000 * i);
    flush();
    compact(15);
    put(3_000_000);
    assert.equal(rows(), 8);
    assert.throws(() => at(2_000_000), says("before this member's record"));
    assert.equal(at(2_000_000 + 2_000 * 13).revision, 15);
    assert.equal(at(2_000_000 + 2_000 * 14).revision, 16);
    compact(20);
    assert.throws(() => at(2_000_000 + 2_000 * 14), says("compacted"));
  });

  it("marks the first revision after a start, for it may be older", () => {
    const { put, at, flush, restart, setTime } = world();
    const before = put(2_000_000);
    flush();
    restart();
    const after = put(3_000_000);
    assert.deepEqual(at(2_500_000), { revision: before, latestRevision: before, isUncertain: true });
    put(3_010_000);
    setTime(3_100_000);
    assert.deepEqual(at(3_005_000), { revision: after, latestRevision: after, isUncertain: false });
  });

  it("goes by the clock when it was set back, and forgets what came later by the wrong one", () => {
    const { put, at, rows, setTime } = world();
    put(2_000_000);
    for (let i = 0; i < 5; i++) put(9_000_000 + 2_000 * i);
    const revision = put(3_000_000);
    assert.equal(rows(), 2);
    setTime(3_000_500);
    assert.equal(at(3_000_000).revision, revision);
    assert.equal(at(2_500_000).isUncertain, true);
  });

  it("keeps its record while the clock of the machine is not set yet, and goes on when it is", () => {
    const { put, at, rows, setTime, flush, restart } = world();
    const first = put(2_000_000);
    const second = put(2_010_000);
    flush();
    restart();
    for (let ms = 10_000; ms < 20_000; ms += 1_500) put(ms);
    assert.equal(rows(), 2);
    const unset = put(20_000);
    const third = put(3_000_000);
    put(3_010_000);
    assert.equal(rows(), 4);
    setTime(3_020_000);
    assert.deepEqual(at(2_005_000), { revision: first, latestRevision: first, isUncertain: false });
    assert.deepEqual(at(2_500_000), { revision: unset, latestRevision: unset, isUncertain: true });
    assert.deepEqual(at(3_005_000), { revision: third, latestRevision: third, isUncertain: false });
    assert.ok(second < unset);
  });
});

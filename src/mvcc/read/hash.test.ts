import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Revision } from "../../lib/ids.ts";
import { finish } from "../../lib/steps.ts";
import { storeFixture } from "../testing/fixture.ts";
import { bytes, leaseId, ops, term } from "../testing/requests.ts";

/** The history whose hashes an etcd 3.7.3 gave. */
function history(flushEach: boolean) {
  const fixture = storeFixture([leaseId(7)]);
  const { put, remove, txn, compact, flush, store } = fixture;
  const hash = (revision: number, compacted?: number) =>
    finish(store.hashByRevision(revision, compacted as Revision | undefined)).hash;
  const step = (change: () => unknown) => {
    change();
    if (flushEach) flush();
  };
  step(() => put("a", "1"));
  step(() => put("a", "2"));
  step(() => remove("a"));
  step(() => put("b", "x", { lease: leaseId(7) }));
  step(() => txn({ success: [ops.put("c", "1"), ops.put("d", "2"), ops.delete("b")] }));
  return { ...fixture, step, hash, compact };
}

describe("HashKV", () => {
  for (const flushed of [false, true]) {
    it(`is etcd's, ${flushed ? "in the backend" : "in the overlay"}`, () => {
      const { store, step, hash, compact, remove, backend } = history(flushed);
      assert.deepEqual(
        [1, 2, 3, 4, 5, 6].map((revision) => hash(revision)),
        [1084519789, 2587454935, 535221974, 1363947557, 71230056, 4044475723],
      );
      assert.equal(finish(store.hashByRevision(0)).compactRevision, -1);
      step(() => compact(4));
      assert.equal(hash(4, -1), 1363947557, "what etcd keeps of a compaction");
      assert.deepEqual(
        [5, 6].map((revision) => hash(revision)),
        [1533627421, 3627741257],
      );
      if (flushed) void backend.compact(4 as Revision);
      assert.deepEqual(
        [5, 6].map((revision) => hash(revision)),
        [1533627421, 3627741257],
      );
      step(() => remove("c", "d"));
      step(() => remove("d"));
      step(() => compact(7));
      // Nothing lives at revision 8, which changes what etcd counts.
      assert.deepEqual(finish(store.hashByRevision(0)), {
        hash: 1479368921,
        hashRevision: 8,
        compactRevision: 7,
        revision: 8,
      });
    });
  }

  for (const flushed of [false, true]) {
    it(`of a compaction that finds nothing alive is etcd's, ${flushed ? "in the backend" : "in the overlay"}`, () => {
      const { put, remove, compact, flush, store } = storeFixture();
      const step = (change: () => unknown) => {
        change();
        if (flushed) flush();
      };
      const hashes = (revision: number) => [
        finish(store.hashByRevision(revision)).hash,
        finish(store.hashByRevision(revision, 3 as Revision)).hash,
      ];
      step(() => put("a", "1"));
      step(() => put("b", "1"));
      step(() => compact(3));
      step(() => remove("a", "c"));
      // The compaction keeps the tombstones of its own revision, which makes the versions of before count no more.
      assert.deepEqual(hashes(4), [108040959, 842926332]);
      step(() => put("a", "2"));
      step(() => remove("a"));
      assert.deepEqual(hashes(4), [108040959, 842926332]);
    });
  }

  for (const changes of [10, 66_000]) {
    it(`is the same before and after versions are removed, ${changes} changes later`, () => {
      const { store, put, remove, compact, flush, backend } = storeFixture();
      for (let i = 0; i < 20; i++) put(`k${i}`, "old");
      remove("k3");
      for (let i = 10; i < 30; i++) put(`k${i}`, "new");
      const compacted = store.revision;
      compact(compacted);
      remove("k4");
      for (let i = 5; i < changes + 5; i++) put(`k${i}`, "newer");
      flush();
      for (let i = 25; i < 35; i++) put(`k${i}`, "newest");
      const before = finish(store.hashByRevision(0));
      void backend.compact(compacted);
      assert.deepEqual(finish(store.hashByRevision(0)), before);
    });
  }

  it("refuses what Range refuses", () => {
    const { hash, compact } = history(false);
    assert.throws(() => hash(7), /future/);
    compact(4);
    assert.throws(() => hash(3), /compacted/);
  });

  it("holds off compactions while it is counted", () => {
    const { store, put, compact, flush } = storeFixture();
    for (let i = 0; i < 2000; i++) put(`k${i}`);
    compact(100);
    flush();
    const steps = store.hashByRevision(0);
    steps.next();
    assert.equal(store.oldestReadRevision, 100);
    finish(steps);
    assert.equal(store.oldestReadRevision, store.revision);
  });
});

describe("Hash", () => {
  it("changes with versions and with rows of metadata", () => {
    const { store, put, next } = storeFixture();
    const hash = () => finish(store.hash(["lease", "members"]));
    const seen = new Set([hash()]);
    put("a");
    seen.add(hash());
    store.applyMeta([{ bucket: "lease", key: "1", value: bytes("x") }], next(), term);
    seen.add(hash());
    store.applyMeta([{ bucket: "members", key: "1", value: bytes("x") }], next(), term);
    seen.add(hash());
    assert.equal(seen.size, 4);
    assert.equal(hash(), hash());
  });

  it("goes over very many rows in steps", () => {
    const { store, next } = storeFixture();
    const rows = Array.from({ length: 10_000 }, (_, i) => ({
      bucket: "lease",
      key: String((i * 7919) % 10_000),
      value: bytes("x"),
    }));
    store.applyMeta(rows, next(), term);
    let steps = 0;
    for (const steady = store.hash(["lease"]); !steady.next().done; ) steps++;
    assert.ok(steps > 50, `${steps} steps`);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RangeRequest } from "../codec/kv.ts";
import type { LeaseId, RaftIndex, Revision } from "../lib/ids.ts";
import { finish } from "../lib/steps.ts";
import { MvccStore } from "./store.ts";
import { PlainBackend } from "./testing/plain-backend.ts";
import {
  bytes,
  deleteRequest,
  indexes,
  leaseId,
  putRequest,
  rangeRequest,
  term,
  text,
} from "./testing/requests.ts";

function setUp(leases: LeaseId[] = []) {
  const backend = new PlainBackend();
  const store = new MvccStore({ backend, leases: { has: (id) => leases.includes(id) } });
  const next = indexes();
  return {
    backend,
    store,
    next,
    put: (key: string, value = "", options = {}) =>
      store.applyPut(putRequest(key, value, options), next(), term),
    remove: (key: string, rangeEnd = "", options = {}) =>
      finish(store.applyDeleteRange(deleteRequest(key, rangeEnd, options), next(), term)),
    range: (key: string, rangeEnd = "", options: Partial<RangeRequest> = {}) =>
      finish(store.range(rangeRequest(key, rangeEnd, options))),
    flush: () => {
      const generation = store.seal();
      if (generation) {
        backend.writeNow(generation);
        store.dropSealed();
      }
      return generation;
    },
  };
}

const keys = (result: { kvs: readonly { key: Uint8Array }[] }) =>
  result.kvs.map((kv) => text(kv.key)).join(" ");

describe("puts and gets", () => {
  it("count revisions and versions as etcd does", () => {
    const { store, put, remove } = setUp();
    assert.equal(store.revision, 1);
    assert.equal(store.get(bytes("a")), undefined);
    put("a", "1");
    put("a", "2");
    assert.deepEqual(store.get(bytes("a")), {
      key: bytes("a"),
      createRevision: 2,
      modRevision: 3,
      version: 2,
      value: bytes("2"),
      lease: 0n,
    });
    remove("a");
    assert.equal(store.get(bytes("a")), undefined);
    put("a", "3");
    const kv = store.get(bytes("a"))!;
    assert.deepEqual([kv.createRevision, kv.modRevision, kv.version], [5, 5, 1]);
  });

  it("give the version before when asked", () => {
    const { put } = setUp();
    assert.equal(put("a", "1", { prevKv: true }).prevKv, undefined);
    assert.equal(text(put("a", "2", { prevKv: true }).prevKv!.value), "1");
    assert.equal(put("a", "3").prevKv, undefined);
  });

  it("keep value or lease when told to, and need a key for that", () => {
    const { store, put, next } = setUp([leaseId(7), leaseId(8)]);
    for (const options of [{ ignoreValue: true }, { ignoreLease: true }]) {
      assert.throws(() => put("a", "", options), { message: "etcdserver: key not found" });
    }
    assert.equal(store.position.appliedIndex, 2, "a refused entry is applied all the same");
    put("a", "1", { lease: leaseId(7) });
    put("a", "", { ignoreValue: true, lease: leaseId(8) });
    assert.deepEqual([text(store.get(bytes("a"))!.value), store.get(bytes("a"))!.lease], ["1", 8n]);
    put("a", "2", { ignoreLease: true });
    assert.deepEqual([text(store.get(bytes("a"))!.value), store.get(bytes("a"))!.lease], ["2", 8n]);
    put("a", "3");
    assert.equal(store.get(bytes("a"))!.lease, 0n);
    finish(store.applyDeleteRange(deleteRequest("a"), next(), term));
    assert.throws(() => put("a", "", { ignoreValue: true }), { message: "etcdserver: key not found" });
  });

  it("refuse an unknown lease", () => {
    const { store, put } = setUp([leaseId(7)]);
    assert.throws(() => put("a", "", { lease: leaseId(9) }), {
      message: "etcdserver: requested lease not found",
    });
    assert.equal(store.revision, 1);
  });
});

describe("the overlay over the backend", () => {
  it("answers the same before, while and after a generation is written", () => {
    const { backend, store, put, remove, range, flush } = setUp();
    put("a", "1");
    put("b", "1");
    flush();
    remove("a");
    put("b", "2");
    put("c", "1");
    const answers = () => [
      keys(range("a", "z")),
      range("a", "z").count,
      text(store.get(bytes("b"))!.value),
      keys(range("a", "z", { revision: 3 })),
      range("a", "z", { revision: 4, countOnly: true }).count,
    ];
    const expected = ["b c", 2, "2", "a b", 1];
    assert.deepEqual(answers(), expected);
    const generation = store.seal()!;
    assert.equal(generation.revision, 6);
    assert.equal(store.seal(), undefined, "one at a time");
    put("d");
    remove("d");
    assert.deepEqual(answers(), expected);
    backend.writeNow(generation);
    assert.deepEqual(answers(), expected, "in the backend and in the overlay at once");
    store.dropSealed();
    assert.deepEqual(answers(), expected);
  });

  it("seals nothing when nothing was applied, and everything that was", () => {
    const { store, next, flush } = setUp();
    assert.equal(store.seal(), undefined);
    assert.equal(store.overlayBytes, 0);
    store.applyNothing(next(), term);
    assert.ok(store.overlayBytes > 0);
    assert.equal(flush()!.appliedIndex, 1);
    assert.equal(store.overlayBytes, 0);
    assert.equal(store.seal(), undefined);
    store.applyMeta([{ bucket: "lease", key: "k", value: bytes("v") }], next(), term);
    const generation = flush()!;
    assert.equal(generation.appliedIndex, 2);
    assert.deepEqual(generation.meta, [{ bucket: "lease", key: "k", value: bytes("v") }]);
  });

  it("does not seal in the middle of a transaction, and readers do not see it", () => {
    const { store, put, next, range } = setUp();
    for (let i = 0; i < 600; i++) put(`k${String(i).padStart(3, "0")}`);
    const revision = store.revision;
    const steps = store.applyDeleteRange(deleteRequest("k", "l"), next(), term);
    let paused = 0;
    while (!steps.next().done) {
      paused++;
      assert.equal(store.writeInProgress, true);
      assert.equal(store.seal(), undefined);
      assert.equal(store.revision, revision);
      assert.equal(range("k", "l", { countOnly: true }).count, 600);
      assert.equal(range("k", "l", { limit: 1 }).kvs.length, 1);
      assert.notEqual(store.get(bytes("k000")), undefined);
      assert.throws(() => put("x"), /already being applied/);
    }
    assert.ok(paused >= 2, `paused ${paused} times`);
    assert.equal(range("k", "l", { countOnly: true }).count, 0);
    assert.equal(store.revision, revision + 1);
  });

  it("is unusable after a transaction was given up half-way", () => {
    const { store, put, next } = setUp();
    for (let i = 0; i < 600; i++) put(`k${i}`);
    const steps = store.applyDeleteRange(deleteRequest("k", "l"), next(), term);
    steps.next();
    steps.return(undefined as never);
    assert.throws(() => put("x"), /unusable/);
  });

  it("asks the backend once for a key that is read often", () => {
    const { backend, store, put, flush } = setUp();
    put("a", "1");
    flush();
    for (let i = 0; i < 10; i++) {
      store.get(bytes("a"));
      store.get(bytes("none"));
    }
    assert.equal(backend.reads.versionAt, 2);
    put("a", "2");
    put("none", "now");
    flush();
    assert.equal(text(store.get(bytes("a"))!.value), "2");
    assert.equal(text(store.get(bytes("none"))!.value), "now");
  });

  it("does not look into the backend for keys beyond all that live there", () => {
    const { backend, store, put, remove, flush } = setUp();
    put("b", "1");
    flush();
    put("c", "1");
    put("d", "1");
    assert.equal(backend.reads.newestHead, 0);
    put("b", "2");
    put("a", "1");
    assert.equal(backend.reads.newestHead, 2);
    flush();
    put("d", "2");
    assert.equal(backend.reads.newestHead, 3);
    assert.equal(store.get(bytes("d"))!.version, 2);
    remove("d");
    flush();
    const reopened = new MvccStore({ backend, leases: { has: () => false } });
    reopened.applyPut(putRequest("d"), 100 as RaftIndex, term);
    assert.equal(backend.reads.newestHead, 3, "a deleted key is none");
    assert.equal(reopened.get(bytes("d"))!.version, 1);
    reopened.applyPut(putRequest("c"), 101 as RaftIndex, term);
    assert.equal(reopened.get(bytes("c"))!.version, 2);
  });
});

describe("compaction", () => {
  it("refuses reads before it, compactions behind it, and revisions to come", () => {
    const { store, put, next, range } = setUp();
    const compact = (revision: number) => store.applyCompaction(revision as Revision, next(), term);
    put("a", "1");
    put("a", "2");
    assert.throws(() => compact(4), { message: "etcdserver: mvcc: required revision is a future revision" });
    compact(3);
    assert.equal(store.compactRevision, 3);
    assert.throws(() => compact(3), { message: "etcdserver: mvcc: required revision has been compacted" });
    assert.throws(() => range("a", "", { revision: 2 }), /compacted/);
    assert.throws(() => range("a", "", { revision: 4 }), /future/);
    assert.equal(range("a", "", { revision: 3 }).kvs.length, 1);
    assert.equal(store.seal()!.compactRevision, 3);
  });

  it("leaves a range that has begun alone, and tells how far the backend may go", () => {
    const { backend, store, put, next, flush } = setUp();
    for (let i = 0; i < 600; i++) put(`k${i}`, "old");
    flush();
    const steps = store.range(rangeRequest("k", "l"));
    steps.next();
    const begun = store.revision;
    for (let i = 0; i < 600; i++) put(`k${i}`, "new");
    store.applyCompaction(store.revision, next(), term);
    flush();
    assert.equal(store.oldestReadRevision, begun, "what the range sees");
    void backend.compact(store.oldestReadRevision);
    const result = finish(steps);
    assert.equal(result.revision, begun);
    assert.equal(result.kvs.length, 600);
    assert.ok(result.kvs.every((kv) => text(kv.value) === "old"));
    assert.equal(store.oldestReadRevision, store.revision, "and holds nothing afterwards");
  });

  it("can give up reads that hold it up", () => {
    const { store, put } = setUp();
    for (let i = 0; i < 600; i++) put(`k${i}`);
    const steps = store.range(rangeRequest("k", "l"));
    steps.next();
    store.expireReads((store.revision + 1) as Revision);
    assert.throws(() => finish(steps), /compacted/);
  });
});

describe("leases and metadata", () => {
  it("knows a lease's keys from overlay and backend, and deletes them in one revision", () => {
    const lease = leaseId(5);
    const { store, put, next, flush, range } = setUp([lease, leaseId(6)]);
    put("b", "", { lease });
    put("a", "", { lease });
    put("moved", "", { lease });
    put("left", "", { lease });
    flush();
    put("c", "", { lease });
    put("moved", "", { lease: leaseId(6) });
    put("left");
    const names = () => finish(store.keysOfLease(lease)).map(text).join(" ");
    assert.equal(names(), "a b c");
    store.seal();
    assert.equal(names(), "a b c");
    const before = store.revision;
    assert.equal(finish(store.applyLeaseRevoke(lease, next(), term)), 3);
    assert.equal(store.revision, before + 1);
    assert.equal(keys(range("a", "z")), "left moved");
    assert.equal(names(), "");
    assert.equal(finish(store.applyLeaseRevoke(lease, next(), term)), 0);
    assert.equal(store.revision, before + 1, "nothing to delete takes no revision");
  });

  it("merges rows of metadata", () => {
    const { store, next, flush } = setUp();
    const set = (key: string, value?: string) =>
      store.applyMeta(
        [{ bucket: "b", key, value: value === undefined ? undefined : bytes(value) }],
        next(),
        term,
      );
    const rows = () =>
      [...finish(store.readMeta("b"))]
        .map(([key, value]) => `${key}=${text(value)}`)
        .sort()
        .join(" ");
    set("x", "1");
    set("y", "1");
    flush();
    set("x", "2");
    set("y");
    set("z", "1");
    assert.equal(rows(), "x=2 z=1");
    store.seal();
    set("z");
    assert.equal(rows(), "x=2");
  });
});

describe("entries", () => {
  it("must come in order", () => {
    const { store } = setUp();
    store.applyNothing(5 as RaftIndex, term);
    store.applyNothing(5 as RaftIndex, term);
    assert.throws(() => store.applyPut(putRequest("a"), 4 as RaftIndex, term), /comes after/);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KeyValue, RangeRequest } from "../../codec/kv.ts";
import { SortOrder, SortTarget } from "../../codec/kv.ts";
import { finish } from "../../lib/steps.ts";
import { keysOf, storeFixture } from "../testing/fixture.ts";
import { leaseId, rangeRequest, text } from "../testing/requests.ts";

/** a=3 (revision 2), b=1 (3), c=2 (4, 5: version 2), d=1 (6), half of them in the backend. */
function letters() {
  const fixture = storeFixture([leaseId(7)]);
  fixture.put("a", "3");
  fixture.put("b", "1", { lease: leaseId(7) });
  fixture.put("c", "0");
  fixture.flush();
  fixture.put("c", "2");
  fixture.put("d", "1");
  return fixture;
}

describe("what a range covers", () => {
  it("is one key, a span, or all from a key on", () => {
    const { range } = letters();
    assert.equal(keysOf(range("b")), "b");
    assert.equal(keysOf(range("b", "d")), "b c");
    assert.equal(keysOf(range("b", "\0")), "b c d");
    assert.equal(keysOf(range("\0", "\0")), "a b c d");
    for (const rangeEnd of ["b", "a"]) {
      const { kvs, count, more } = range("b", rangeEnd);
      assert.deepEqual({ kvs, count, more }, { kvs: [], count: 0, more: false });
    }
  });

  it("has the store's revision in its header, whatever revision it reads", () => {
    const { range } = letters();
    assert.equal(range("a", "", { revision: 2 }).revision, 6);
  });

  it("takes a negative revision for the newest", () => {
    const { range } = letters();
    assert.equal(keysOf(range("a", "z", { revision: -5 })), "a b c d");
  });
});

describe("limit and count", () => {
  it("count all keys of the span, whatever is cut off or filtered away", () => {
    const { range } = letters();
    const cut = range("a", "z", { limit: 2 });
    assert.deepEqual([keysOf(cut), cut.count, cut.more], ["a b", 4, true]);
    const exact = range("a", "z", { limit: 4 });
    assert.deepEqual([exact.kvs.length, exact.count, exact.more], [4, 4, false]);
    const negative = range("a", "z", { limit: -1 });
    assert.deepEqual([negative.kvs.length, negative.more], [4, false]);
    const filtered = range("a", "z", { minModRevision: 5 });
    assert.deepEqual([keysOf(filtered), filtered.count, filtered.more], ["c d", 4, false]);
    const both = range("a", "z", { minModRevision: 3, limit: 2 });
    assert.deepEqual([keysOf(both), both.count, both.more], ["b c", 4, true]);
    const counted = range("a", "z", { countOnly: true, limit: 1, minModRevision: 99 });
    assert.deepEqual([counted.kvs.length, counted.count, counted.more], [0, 4, false]);
  });

  it("filter by all four bounds", () => {
    const { range } = letters();
    const keys = (options: Partial<RangeRequest>) => keysOf(range("a", "z", options));
    assert.equal(keys({ maxModRevision: 3 }), "a b");
    assert.equal(keys({ minModRevision: 3, maxModRevision: 5 }), "b c");
    assert.equal(keys({ minCreateRevision: 4 }), "c d");
    assert.equal(keys({ maxCreateRevision: 4 }), "a b c");
    assert.equal(keys({ maxModRevision: -1 }), "");
  });
});

describe("sorting", () => {
  const sorted = (sortTarget: number, sortOrder: number, options: Partial<RangeRequest> = {}) => {
    const result = letters().range("a", "z", { sortTarget, sortOrder, ...options });
    return `${keysOf(result)}${result.more ? " …" : ""}`;
  };

  it("goes by key, version, revisions or value, equal ones in key order", () => {
    assert.equal(sorted(SortTarget.key, SortOrder.descend), "d c b a");
    assert.equal(sorted(SortTarget.version, SortOrder.ascend), "a b d c");
    assert.equal(sorted(SortTarget.version, SortOrder.descend), "c a b d");
    assert.equal(sorted(SortTarget.mod, SortOrder.descend), "d c b a");
    assert.equal(sorted(SortTarget.create, SortOrder.descend), "d c b a");
    assert.equal(sorted(SortTarget.value, SortOrder.ascend), "b d c a");
    assert.equal(sorted(SortTarget.value, SortOrder.descend), "a c b d");
  });

  it("cuts after it has sorted", () => {
    assert.equal(sorted(SortTarget.key, SortOrder.descend, { limit: 2 }), "d c …");
    assert.equal(sorted(SortTarget.value, SortOrder.ascend, { limit: 1 }), "b …");
    assert.equal(sorted(SortTarget.mod, SortOrder.descend, { limit: 1 }), "d …");
  });

  it("gives the values of rows that were sorted without them", () => {
    const { range } = letters();
    const { kvs } = range("a", "z", { sortTarget: SortTarget.mod, sortOrder: SortOrder.descend, limit: 3 });
    assert.deepEqual(
      kvs.map((kv) => text(kv.value)),
      ["1", "2", "1"],
    );
  });

  it("without an order goes up, but cuts first, as etcd does", () => {
    assert.equal(sorted(SortTarget.value, SortOrder.none), "b d c a");
    assert.equal(sorted(SortTarget.value, SortOrder.none, { limit: 2 }), "b c …");
    assert.equal(sorted(SortTarget.value, SortOrder.none, { limit: 2, minModRevision: 1 }), "b d …");
  });
});

describe("keys only", () => {
  it("leaves out values, and leases unless it sorts by value", () => {
    const { range } = letters();
    const [plain] = range("b", "", { keysOnly: true }).kvs;
    assert.deepEqual([plain!.value.length, plain!.lease, plain!.modRevision], [0, 0n, 3]);
    const [byValue] = range("b", "", { keysOnly: true, sortTarget: SortTarget.value }).kvs;
    assert.deepEqual([byValue!.value.length, byValue!.lease], [0, 7n]);
    assert.equal(range("b").kvs[0]!.lease, 7n);
  });
});

describe("many rows", () => {
  const count = 5000;
  const name = (i: number) => `k${String(i).padStart(5, "0")}`;
  function many() {
    const fixture = storeFixture();
    for (let i = 0; i < count; i++) fixture.put(name(i), String((i * 7919) % count).padStart(5, "0"));
    return fixture;
  }

  it("are read, sorted and counted in steps", () => {
    const { store } = many();
    const options: Partial<RangeRequest>[] = [
      {},
      { sortOrder: SortOrder.descend },
      { sortOrder: SortOrder.descend, sortTarget: SortTarget.value },
    ];
    for (const option of options) {
      const steps = store.range(rangeRequest("k", "l", option));
      let pauses = 0;
      let step = steps.next();
      for (; !step.done; step = steps.next()) pauses++;
      assert.ok(pauses >= count / 256 - 1, `${pauses} pauses`);
      const { kvs } = step.value;
      const expected = Array.from({ length: count }, (_, i) => (option.sortOrder ? count - 1 - i : i));
      const field = option.sortTarget ? (kv: KeyValue) => Number(text(kv.value)) : keyNumber;
      assert.deepEqual(kvs.map(field), expected);
    }
  });

  it("come in batches that keep their limits", () => {
    const { store } = many();
    const batches = store.rangeBatches(rangeRequest("k", "l", { limit: 1001 }), 100, 1_000_000);
    const sizes: number[] = [];
    let step = batches.next();
    let expected = 0;
    for (; !step.done; step = batches.next()) {
      for (const kv of step.value ?? []) assert.equal(keyNumber(kv), expected++);
      if (step.value) sizes.push(step.value.length);
    }
    assert.deepEqual(sizes, [...Array.from({ length: 10 }, () => 100), 1]);
    assert.deepEqual(step.value, { count, more: true, revision: store.revision });
  });

  it("come in batches that keep their bytes", () => {
    const { store } = many();
    const batches = store.rangeBatches(rangeRequest("k", "l"), 1000, 500);
    let rows = 0;
    for (const batch of batches) {
      rows += batch?.length ?? 0;
      assert.ok((batch?.length ?? 0) <= 12);
    }
    assert.equal(rows, count);
  });

  it("are not read beyond the limit", () => {
    const { backend, store, flush } = many();
    flush();
    backend.reads.scan = 0;
    finish(store.range(rangeRequest("k", "l", { limit: 2 })));
    assert.equal(backend.reads.scan, 1);
    assert.equal(backend.reads.count, 1);
  });
});

function keyNumber(kv: KeyValue): number {
  return Number(text(kv.key).slice(1));
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Compare, ResponseOp, TxnResponse } from "../../codec/kv.ts";
import { CompareResult } from "../../codec/kv.ts";
import { finish } from "../../lib/steps.ts";
import { keysOf, storeFixture } from "../testing/fixture.ts";
import { bytes, compare, leaseId, ops, term, text, txnRequest } from "../testing/requests.ts";

const { equal, greater, less, notEqual } = CompareResult;

function revisions(response: TxnResponse): unknown[] {
  return response.responses.map((op: ResponseOp) => (op.kind === "txn" ? revisions(op.txn) : op.revision));
}

describe("comparisons", () => {
  const { put, remove, txn } = storeFixture([leaseId(7)]);
  put("a", "m", { lease: leaseId(7) });
  put("a", "n", { lease: leaseId(7) });
  put("b", "n");
  put("gone");
  remove("gone");
  const holds = (...compares: Compare[]) => txn({ compare: compares }).succeeded;

  it("look at each field of a key", () => {
    assert.equal(holds(compare("a", equal, "version", 2)), true);
    assert.equal(holds(compare("a", greater, "create", 1)), true);
    assert.equal(holds(compare("a", less, "mod", 4)), true);
    assert.equal(holds(compare("a", notEqual, "mod", 3)), false);
    assert.equal(holds(compare("a", equal, "value", bytes("n"))), true);
    assert.equal(holds(compare("a", greater, "value", bytes("mzz"))), true);
    assert.equal(holds(compare("a", equal, "lease", 7n)), true);
    assert.equal(holds(compare("a", equal, "version", 2), compare("a", equal, "version", 3)), false);
  });

  it("take a missing key for one with zeroes, but its value for nothing that compares", () => {
    for (const key of ["none", "gone"]) {
      assert.equal(holds(compare(key, equal, "version", 0)), true);
      assert.equal(holds(compare(key, equal, "create", 0)), true);
      assert.equal(holds(compare(key, less, "mod", 1)), true);
      assert.equal(holds(compare(key, equal, "lease", 0n)), true);
      assert.equal(holds(compare(key, equal, "value", bytes(""))), false);
      assert.equal(holds(compare(key, notEqual, "value", bytes("x"))), false);
    }
  });

  it("take an operand that was left out for zero", () => {
    assert.equal(holds(compare("a", greater, "version", undefined)), true);
    assert.equal(holds(compare("a", greater, "value", undefined)), true);
    assert.equal(holds(compare("b", equal, "lease", undefined)), true);
  });

  it("over a range hold for every key of it", () => {
    assert.equal(holds(compare("a", equal, "value", bytes("n"), "c")), true);
    assert.equal(holds(compare("a", equal, "version", 2, "c")), false);
    assert.equal(holds(compare("a", greater, "version", 0, "\0")), true);
    assert.equal(holds(compare("x", equal, "version", 0, "z")), true);
    assert.equal(holds(compare("x", notEqual, "value", bytes("v"), "z")), false);
    assert.equal(holds(compare("b", equal, "version", 0, "a")), true);
  });
});

describe("a transaction", () => {
  it("is one revision, whose changes are numbered, and which tells each answer's own", () => {
    const { store, put, txn, flush } = storeFixture();
    put("a", "1");
    flush();
    const response = txn({
      success: [
        ops.range("a"),
        ops.delete("none"),
        ops.put("b", "2"),
        ops.txn({ success: [ops.put("c"), ops.range("a", "z")] }),
        ops.delete("a"),
      ],
    });
    assert.deepEqual(revisions(response), [2, 2, 3, [3, 3], 3]);
    assert.equal(response.revision, 3);
    assert.equal(store.revision, 3);
    const nested = response.responses[3]!;
    assert.ok(nested.kind === "txn");
    assert.equal(nested.txn.revision, 0);
    const places = store.seal()!.versions.map((v) => `${v.key} ${v.modRevision}.${v.sub} ${v.version}`);
    assert.deepEqual(places, ["b 3.0 1", "c 3.1 1", "a 3.2 0"]);
  });

  it("sees its own changes, compares with what was before, also in its nested ones", () => {
    const { txn } = storeFixture();
    const response = txn({
      success: [
        ops.put("a", "1"),
        ops.range("a"),
        ops.txn({ compare: [compare("a", equal, "version", 0)], success: [ops.range("a", "b")] }),
        ops.txn({ success: [ops.delete("a", "b", { prevKv: true })] }),
        ops.range("a"),
      ],
    });
    const [, before, nested, deleted, after] = response.responses;
    assert.ok(before?.kind === "range" && keysOf(before.range) === "a");
    assert.ok(nested?.kind === "txn" && nested.txn.succeeded);
    assert.ok(deleted?.kind === "txn" && deleted.txn.responses[0]?.kind === "deleteRange");
    assert.equal(text(deleted.txn.responses[0].deleteRange.prevKvs[0]!.value), "1");
    assert.ok(after?.kind === "range" && after.range.count === 0);
  });

  it("that changes nothing takes no revision", () => {
    const { store, txn } = storeFixture();
    assert.equal(txn({ success: [ops.delete("a"), ops.range("a")] }).revision, 1);
    assert.equal(
      txn({ compare: [compare("a", equal, "version", 1)], success: [ops.put("a")] }).succeeded,
      false,
    );
    assert.equal(store.revision, 1);
  });

  it("does nothing at all when one of its operations is refused", () => {
    const { store, put, txn, compact } = storeFixture();
    for (let i = 0; i < 5; i++) put("a", String(i));
    compact(4);
    const refused = (...success: Parameters<typeof txnRequest>[0]["success"] & object) => {
      const before = store.position;
      assert.throws(() => txn({ success: [ops.put("x"), ...success] }), { name: "EtcdError" });
      assert.deepEqual(store.position, { ...before, appliedIndex: before.appliedIndex + 1 });
      return "refused";
    };
    refused(ops.range("a", "", { revision: 3 }));
    refused(ops.range("a", "", { revision: 7 }));
    refused(ops.range("a", "", { revision: -1 }));
    refused(ops.put("b", "", { lease: leaseId(1) }));
    refused(ops.txn({ success: [ops.put("b", "", { ignoreValue: true })] }));
    assert.equal(txn({ success: [ops.put("x"), ops.range("a", "", { revision: 4 })] }).revision, 7);
  });

  it("does not keep the value of a key that it deleted to the end (etcd panics)", () => {
    const { store, put, txn } = storeFixture();
    put("b", "1");
    const keep = { ignoreValue: true };
    assert.throws(() => txn({ success: [ops.delete("a", "\0"), ops.put("b", "", keep)] }), /key not found/);
    assert.equal(txn({ success: [ops.put("b", "", keep), ops.delete("a", "\0")] }).revision, 3);
    assert.equal(store.get(bytes("b")), undefined);
  });

  it("can leave out its ranges, for members that do not answer", () => {
    const { store, put, next } = storeFixture();
    put("a");
    const request = txnRequest({ success: [ops.range("a"), ops.put("b")] });
    const [range] = finish(store.applyTxn(request, next(), term, true)).responses;
    assert.deepEqual(range, { kind: "range", range: { kvs: [], count: 0, more: false }, revision: 2 });
    assert.equal(store.revision, 3);
  });
});

describe("a transaction that only reads", () => {
  it("sees one revision, though writes go on between its steps", () => {
    const { store, put } = storeFixture();
    for (let i = 0; i < 1000; i++) put(`k${i}`, "old");
    const revision = store.revision;
    const steps = store.readTxn(
      txnRequest({
        compare: [compare("k", equal, "value", bytes("old"), "l")],
        success: [ops.range("k", "l"), ops.range("k1")],
      }),
    );
    let step = steps.next();
    for (let i = 0; !step.done; i++) {
      put(`k${i}`, "new");
      put("k1", "new");
      step = steps.next();
    }
    assert.equal(step.value.succeeded, true);
    assert.equal(step.value.revision, revision);
    const [all, one] = step.value.responses;
    assert.ok(all?.kind === "range" && all.range.kvs.every((kv) => text(kv.value) === "old"));
    assert.ok(one?.kind === "range" && text(one.range.kvs[0]!.value) === "old");
  });
});

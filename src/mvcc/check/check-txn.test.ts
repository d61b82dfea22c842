import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RequestOp, TxnRequest } from "../../codec/kv.ts";
import { compare, deleteRequest, ops, putRequest, rangeRequest, txnRequest } from "../testing/requests.ts";
import { checkDeleteRange, checkPutRequest, checkRange, checkRangeStream } from "./check-request.ts";
import { checkTxn } from "./check-txn.ts";

const accept = (txn: TxnRequest, maxOps = 128) => checkTxn(txn, maxOps);
const refuse = (txn: TxnRequest, message: string, maxOps = 128) =>
  assert.throws(() => checkTxn(txn, maxOps), { message: `etcdserver: ${message}` });
const then = (...success: RequestOp[]) => txnRequest({ success });
const nest = (success: RequestOp[], failure: RequestOp[] = []) => ops.txn({ success, failure });

describe("single requests", () => {
  it("need a key and known sort options", () => {
    assert.throws(() => checkRange(rangeRequest("")), { message: "etcdserver: key is not provided" });
    assert.throws(() => checkDeleteRange(deleteRequest("")), { message: "etcdserver: key is not provided" });
    for (const options of [{ sortOrder: 3 }, { sortOrder: -1 }, { sortTarget: 5 }, { sortTarget: -1 }]) {
      assert.throws(() => checkRange(rangeRequest("a", "", options)), {
        message: "etcdserver: invalid sort option",
      });
    }
    checkRange(rangeRequest("a", "", { sortOrder: 2, sortTarget: 4 }));
  });

  it("do not give a value or a lease and ask to keep it", () => {
    assert.throws(() => checkPutRequest(putRequest("a", "v", { ignoreValue: true })), /value is provided/);
    assert.throws(
      () => checkPutRequest(putRequest("a", "", { ignoreLease: true, lease: 1n as never })),
      /lease is provided/,
    );
    checkPutRequest(putRequest("a", "", { ignoreValue: true, ignoreLease: true }));
  });

  it("of a stream are in key order and without revision filters", () => {
    checkRangeStream(rangeRequest("a", "b", { limit: 3, sortOrder: 1 }));
    checkRangeStream(rangeRequest("a", "b", { sortTarget: 3 }));
    for (const options of [{ sortOrder: 2 }, { sortOrder: 1, sortTarget: 1 }]) {
      assert.throws(() => checkRangeStream(rangeRequest("a", "b", options)), /custom sort orders/);
    }
    assert.throws(() => checkRangeStream(rangeRequest("a", "b", { maxModRevision: 1 })), /revision filters/);
  });
});

describe("transactions", () => {
  it("have a limit for each list, less what the lists around them take", () => {
    const puts = (count: number) => Array.from({ length: count }, (_, i) => ops.put(`k${i}`));
    accept(txnRequest({ success: puts(3), failure: puts(3) }), 3);
    refuse(txnRequest({ failure: puts(4) }), "too many operations in txn request", 3);
    refuse(
      txnRequest({ compare: [1, 2].map(() => compare("a", 0, "mod", 0)) }),
      "too many operations in txn request",
      1,
    );
    accept(then(nest(puts(2))), 3);
    refuse(then(nest(puts(3))), "too many operations in txn request", 3);
  });

  it("are refused for what their operations would be refused for", () => {
    refuse(then(ops.put("")), "key is not provided");
    refuse(then(nest([], [ops.range("")])), "key is not provided");
    refuse(txnRequest({ compare: [compare("", 0, "mod", 0)] }), "key is not provided");
    refuse(then(ops.put("a", "v", { ignoreValue: true })), "value is provided");
    refuse(then({ kind: "none" }), "key not found");
  });

  it("do not write a key twice", () => {
    const duplicate = "duplicate key given in txn request";
    refuse(then(ops.put("a"), ops.put("a")), duplicate);
    refuse(txnRequest({ failure: [ops.put("a"), ops.put("a")] }), duplicate);
    accept(txnRequest({ success: [ops.put("a")], failure: [ops.put("a")] }));
    refuse(then(ops.put("a"), ops.delete("a")), duplicate);
    refuse(then(ops.delete("a", "c"), ops.put("b")), duplicate);
    accept(then(ops.delete("a", "c"), ops.put("c")));
    accept(then(ops.delete("a", "c"), ops.delete("b")));
    refuse(then(ops.delete("x", "z"), ops.delete("a", "m"), ops.delete("b", "c"), ops.put("l")), duplicate);
    accept(then(ops.delete("b", "a"), ops.put("b")));
  });

  it("look into nested transactions, whose two branches exclude each other", () => {
    const duplicate = "duplicate key given in txn request";
    accept(then(nest([ops.put("a")], [ops.put("a")])));
    refuse(then(nest([ops.put("a")]), nest([], [ops.put("a")])), duplicate);
    refuse(then(ops.put("a"), nest([ops.put("a")])), duplicate);
    refuse(then(ops.delete("a", "b"), nest([], [ops.put("a")])), duplicate);
    refuse(then(ops.put("a"), nest([ops.delete("a")])), duplicate);
    accept(then(nest([ops.delete("a")], [ops.put("a")])));
  });

  it("keep etcd's oddities: what it lets through has to pass", () => {
    // Its interval for a deletion to the end of all keys is empty.
    accept(then(ops.delete("a", "\0"), ops.put("b")));
    // A nested transaction's puts are compared with the deletions of those before it only.
    accept(then(nest([ops.put("a")]), nest([ops.delete("a")])));
    refuse(then(nest([ops.delete("a")]), nest([ops.put("a")])), "duplicate key given in txn request");
  });

  it("of thousands of operations are checked at once", () => {
    const count = 20_000;
    const key = (i: number) => String(i).padStart(6, "0");
    const success: RequestOp[] = [];
    for (let i = 0; i < count; i++) {
      success.push(i % 2 === 0 ? ops.put(key(i)) : ops.delete(key(i)));
    }
    accept(then(...success), count);
    refuse(then(...success, ops.delete(key(0), key(1))), "duplicate key given in txn request", count + 1);
  });
});

/** The checks of a fault run find what is planted. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RegisterOp, RegisterResult } from "../support/linearizability/history.ts";
import { longestGaps } from "./faults.ts";
import { RegisterKeys } from "./register-keys.ts";
import { Broken, Revisions } from "./revisions.ts";

/** Calls to one key, one after the other. */
function check(...calls: readonly (readonly [RegisterOp, RegisterResult | undefined])[]): () => void {
  return () => {
    const keys = new RegisterKeys(1);
    for (const [op, result] of calls) {
      const call = keys.begin("r/0", 1, op);
      call.result = result;
      // Strictly later: calls of one moment count as concurrent.
      for (const now = performance.now(); performance.now() <= now; );
      keys.ended("r/0", call, result === undefined ? "unknown" : "answer");
      for (const now = performance.now(); performance.now() <= now; );
    }
    keys.checkAll();
    assert.equal(keys.checkedCalls, calls.length);
  };
}

const put = (value: string) => [{ kind: "put", value }, { kind: "put" }] as const;
const lostPut = (value: string) => [{ kind: "put", value }, undefined] as const;
const get = (value: string, version: number) =>
  [{ kind: "get" }, { kind: "get", seen: { value, version } }] as const;

describe("the history of a key", () => {
  it("passes when every read sees the last write, and writes that were not answered happened or did not", () => {
    check(put("1"), get("1", 1), put("2"), get("2", 2))();
    check(put("1"), lostPut("2"), get("1", 1), get("2", 2), get("2", 2))();
  });

  it("fails with a stale read", () => {
    assert.throws(check(put("1"), put("2"), get("1", 1)), Broken);
    assert.throws(check(put("1"), lostPut("2"), get("2", 2), get("1", 1)), Broken);
  });

  it("fails with an acknowledged write that is lost", () => {
    assert.throws(check(put("1"), put("2"), put("3"), get("3", 2)), Broken);
  });

  it("is checked when the key has been given up and its last call has ended", () => {
    const keys = new RegisterKeys(1);
    const last = keys.begin("r/0", 2, { kind: "put", value: "late" });
    for (let i = 0; i < 200 && keys.checkedKeys === 0; i++) {
      const call = keys.begin("r/0", 1, { kind: "put", value: `${i}` });
      call.result = { kind: "put" };
      keys.ended("r/0", call, "answer");
    }
    assert.equal(keys.checkedKeys, 0);
    last.result = { kind: "put" };
    keys.ended("r/0", last, "answer");
    assert.equal(keys.checkedKeys, 1);
  });
});

describe("what watchers are shown", () => {
  const a = [{ key: "a", value: "1" }];
  const b = [{ key: "b", value: "2" }];

  it("agrees with what was acknowledged before and after", () => {
    const revisions = new Revisions();
    revisions.acknowledged(3, b);
    revisions.shown(2, a, "w");
    revisions.shown(3, b, "w");
    revisions.acknowledged(2, a);
    revisions.shown(2, a, "v");
    revisions.shown(4, [{ key: "a", value: undefined }], "w");
    revisions.checkNothingLost();
    assert.deepEqual([...revisions.now], [["b", { value: "2", modRevision: 3, version: 1 }]]);
  });

  it("may not differ from it, nor between watchers, nor leave out a revision", () => {
    const revisions = new Revisions();
    revisions.acknowledged(2, a);
    assert.throws(() => revisions.shown(2, b, "w"), Broken);
    const others = new Revisions();
    others.shown(2, a, "w");
    assert.throws(() => others.acknowledged(2, b), Broken);
    assert.throws(() => others.shown(2, b, "v"), Broken);
    assert.throws(() => others.shown(4, b, "v"), Broken);
  });

  it("has everything that was acknowledged, once", () => {
    const revisions = new Revisions();
    revisions.shown(2, a, "w");
    revisions.acknowledged(2, a);
    assert.throws(() => revisions.acknowledged(2, a), Broken);
    revisions.acknowledged(3, b);
    assert.throws(() => revisions.acknowledged(3, b), Broken);
    assert.throws(() => revisions.checkNothingLost(), Broken);
  });
});

describe("the longest time without a write", () => {
  it("is counted from the beginning, to the end, and only while a majority could talk", () => {
    const quorum = [
      { fromMs: 0, toMs: 150 },
      { fromMs: 700, toMs: Number.POSITIVE_INFINITY },
    ];
    const gaps = longestGaps([100, 800, 900], quorum, { fromMs: 0, toMs: 1000 });
    assert.deepEqual(gaps, { anyMs: 700, withQuorumMs: 100 });
  });
});

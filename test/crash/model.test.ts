/** The checkers of this folder must find what they are for. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Change } from "./api.ts";
import { LeaseBook } from "./lease-book.ts";
import { byRevision, checkRows, Model, sameChanges, WrongData } from "./model.ts";

const put = (key: string, value: string, lease = 0n): Change => ({ key, value, lease });
const del = (key: string): Change => ({ key, value: undefined, lease: 0n });

describe("the model", () => {
  const model = new Model();
  model.append([put("b", "1")]); // revision 2
  model.append([put("a", "2", 7n), put("b", "3")]);
  model.append([del("b"), put("c", "4", 7n)]);
  model.append([put("b", "5")]);

  it("knows each key's revisions, version and lease", () => {
    assert.equal(model.revision, 5);
    assert.deepEqual(model.rowsAt(5), [
      { key: "a", value: "2", createRevision: 3, modRevision: 3, version: 1, lease: 7n },
      { key: "b", value: "5", createRevision: 5, modRevision: 5, version: 1, lease: 0n },
      { key: "c", value: "4", createRevision: 4, modRevision: 4, version: 1, lease: 7n },
    ]);
    assert.deepEqual(model.keysOf(7n), ["a", "c"]);
  });
  it("knows the past, before and after a compaction", () => {
    const past = model.rowsAt(3);
    assert.deepEqual(
      past.map((row) => [row.key, row.value, row.version]),
      [
        ["a", "2", 1],
        ["b", "3", 2],
      ],
    );
    model.compact(3);
    assert.deepEqual(model.rowsAt(3), past);
    assert.deepEqual(
      model.rowsAt(4).map((row) => row.key),
      ["a", "c"],
    );
    assert.throws(() => model.at(3), /has no revision 3/);
    assert.deepEqual([model.has(3), model.has(4), model.has(6)], [false, true, false]);
  });
  it("knows what a reader may have been shown", () => {
    assert.ok(model.hadRow("b", "5", 5));
    assert.ok(!model.hadRow("b", "other", 5));
    assert.ok(!model.hadRow("b", "5", 6));
  });
});

describe("comparing", () => {
  it("tells changes apart by key, value, order and lease", () => {
    assert.ok(sameChanges([put("a", "1"), del("b")], [put("a", "1"), del("b")]));
    assert.ok(!sameChanges([put("a", "1")], [put("a", "2")]));
    assert.ok(!sameChanges([put("a", "1")], [put("a", "1", 7n)]));
    assert.ok(!sameChanges([put("a", "1"), del("b")], [del("b"), put("a", "1")]));
    assert.ok(!sameChanges([put("a", "1")], [put("a", "1"), del("b")]));
    assert.ok(!sameChanges([put("a", "1")], [del("a")]));
  });
  it("finds a gap and a step back in a history", () => {
    const at = (revision: number) => ({ ...put("a", "1"), revision });
    assert.equal(byRevision([at(5), at(5), at(6)], 5).length, 2);
    for (const revisions of [[6], [5, 7], [5, 6, 5], [5, 4]]) {
      assert.throws(() => byRevision(revisions.map(at), 5), WrongData, revisions.join());
    }
  });
  it("finds a row that is missing, too many, or different in any field", () => {
    const row = { key: "a", value: "1", createRevision: 2, modRevision: 3, version: 2, lease: 7n };
    checkRows("x", [row], [{ ...row }]);
    assert.throws(() => checkRows("x", [], [row]), WrongData);
    assert.throws(() => checkRows("x", [row], []), WrongData);
    const others = { key: "b", value: "2", createRevision: 9, modRevision: 9, version: 9, lease: 9n };
    for (const [field, value] of Object.entries(others)) {
      assert.throws(() => checkRows("x", [{ ...row, [field]: value }], [row]), WrongData, field);
    }
  });
});

describe("the lease book", () => {
  const granted = (ttl: number, agoMs = 0, restart: "bounded" | "full" = "bounded"): LeaseBook => {
    const book = new LeaseBook(restart);
    book.granting(7n, ttl);
    book.promised(7n, performance.now() - agoMs, performance.now() - agoMs);
    return book;
  };

  it("finds a lease that ends early", () => {
    assert.throws(() => granted(1000).gone(7n), WrongData);
    granted(1000).gone(7n, performance.now() + 1_000_001);
    assert.throws(() => granted(1000).told(7n, -1), WrongData);
    assert.throws(() => granted(1000).told(7n, 500), WrongData);
    granted(1000).told(7n, 998);
  });
  it("lets a lease end that was renewed in vain, granted without an answer, or revoked", () => {
    const open = new LeaseBook("bounded");
    open.granting(7n, 10);
    open.gone(7n);
    const revoked = granted(1000);
    revoked.revoking(7n, "asked");
    revoked.gone(7n);
    revoked.told(7n, 900);
    revoked.revoking(7n, "done");
    assert.throws(() => revoked.told(7n, 900), WrongData);
  });
  it("finds a lease that a kill has started over", () => {
    const killed = (restart: "bounded" | "full") => {
      const book = granted(1000, 900_000, restart); // killed with a hundred seconds left
      book.restarted(performance.now());
      return book;
    };
    killed("bounded").told(7n, 150);
    assert.throws(() => killed("bounded").told(7n, 220), WrongData);
    killed("full").told(7n, 950);
    assert.throws(() => killed("full").told(7n, 1010), WrongData);
  });
});

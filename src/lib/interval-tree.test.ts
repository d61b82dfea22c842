import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "../../test/support/random.ts";
import { IntervalTree } from "./interval-tree.ts";

function found(tree: IntervalTree<string>, point: string): string[] {
  const values: string[] = [];
  tree.stab(point, (value) => values.push(value));
  return values;
}

describe("the interval tree", () => {
  it("finds the spans that contain a point", () => {
    const tree = new IntervalTree<string>();
    tree.set("a", "c", "a-c");
    tree.set("b", "d", "b-d");
    tree.set("b", undefined, "b-");
    tree.set("x", "b", "nothing");
    assert.deepEqual(found(tree, "a"), ["a-c"]);
    assert.deepEqual(found(tree, "b"), ["a-c", "b-d", "b-"]);
    assert.deepEqual(found(tree, "c"), ["b-d", "b-"]);
    assert.deepEqual(found(tree, "zzz"), ["b-"]);
    assert.deepEqual(found(tree, "Z"), []);
    assert.equal(tree.contains("Z"), false);
    assert.equal(tree.contains("zzz"), true);
  });

  it("replaces, deletes, and knows its size", () => {
    const tree = new IntervalTree<string>();
    tree.set("a", "c", "1");
    tree.set("a", "c", "2");
    assert.equal(tree.size, 1);
    assert.equal(tree.get("a", "c"), "2");
    assert.equal(tree.get("a", undefined), undefined);
    assert.equal(tree.delete("a", undefined), false);
    assert.equal(tree.delete("a", "c"), true);
    assert.equal(tree.size, 0);
    assert.deepEqual(found(tree, "a"), []);
  });

  it("agrees with a list, whatever is done to it", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const tree = new IntervalTree<string>();
      const list = new Map<string, { from: string; to: string | undefined }>();
      const word = () => String.fromCharCode(97 + random.below(8)).repeat(random.between(1, 3));
      for (let i = 0; i < 600; i++) {
        const from = word();
        const to = random.chance(0.15) ? undefined : word();
        const name = `${from}-${to ?? ""}`;
        if (random.chance(0.55)) {
          tree.set(from, to, name);
          list.set(name, { from, to });
        } else {
          assert.equal(tree.delete(from, to), list.delete(name), `seed ${seed}`);
        }
        if (i % 10 === 0) tree.check();
        if (i % 100 === 0) assert.deepEqual([...tree.values()].sort(), [...list.keys()].sort());
        const point = word();
        const expected = [...list]
          .filter(([, span]) => span.from <= point && (span.to === undefined || point < span.to))
          .map(([key]) => key);
        assert.deepEqual(found(tree, point).sort(), expected.sort(), `seed ${seed}, point ${point}`);
        assert.equal(tree.contains(point), expected.length > 0, `seed ${seed}, point ${point}`);
        assert.equal(tree.size, list.size);
      }
    }
  });

  it("stays shallow when spans come in order", () => {
    const tree = new IntervalTree<number>();
    for (let i = 0; i < 10_000; i++) tree.set(String(i).padStart(6, "0"), undefined, i);
    tree.check();
    assert.equal(tree.size, 10_000);
  });
});

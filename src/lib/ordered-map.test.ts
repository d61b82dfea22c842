import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OrderedMap } from "./ordered-map.ts";

/** A small seeded generator (xorshift), so that a failure can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

describe("ordered map", () => {
  it("is empty at first", () => {
    const map = new OrderedMap<number>();
    assert.equal(map.size, 0);
    assert.equal(map.get("a"), undefined);
    assert.equal(map.delete("a"), undefined);
    assert.equal(map.cursor().seek(""), false);
    assert.equal(map.cursor().seekLast(), false);
    assert.deepEqual([...map.entries()], []);
    map.check();
  });

  it("tells what set replaced and delete removed", () => {
    const map = new OrderedMap<number>();
    assert.equal(map.set("k", 1), undefined);
    assert.equal(map.set("k", 2), 1);
    assert.equal(map.size, 1);
    assert.equal(map.delete("k"), 2);
    assert.equal(map.size, 0);
  });

  it("orders binary keys as their bytes", () => {
    const map = new OrderedMap<number>();
    for (let byte = 255; byte >= 0; byte--) map.set(String.fromCharCode(byte), byte);
    map.set("", -1);
    map.set("\xff\x00", 256);
    assert.deepEqual(
      [...map.entries()].map(([, value]) => value),
      Array.from({ length: 258 }, (_, i) => i - 1),
    );
  });

  it("stays whole when keys come in order, in reverse order, and go in either", () => {
    const name = (i: number) => `key-${String(i).padStart(6, "0")}`;
    for (const insertUp of [true, false]) {
      for (const deleteUp of [true, false]) {
        const map = new OrderedMap<number>();
        const count = 10_000;
        for (let i = 0; i < count; i++) map.set(name(insertUp ? i : count - i), i);
        map.check();
        for (let i = 0; i < count; i++) {
          assert.notEqual(map.delete(name(insertUp === deleteUp ? i : count - i)) ?? -1, undefined);
          if (i % 777 === 0) map.check();
        }
        map.delete(name(count));
        map.delete(name(0));
        map.check();
        assert.equal(map.size, 0);
      }
    }
  });

  for (const seed of [1, 2, 3, 4, 5]) {
    it(`does what a Map and a sort do (seed ${seed})`, () => {
      const next = random(seed * 7919);
      const map = new OrderedMap<number>();
      const model = new Map<string, number>();
      for (let step = 0; step < 30_000; step++) {
        // The balance between growth and shrinking turns over, so that merges at every level happen.
        const growing = Math.floor(step / 6000) % 2 === 0;
        const key = `k${next(4000)}`;
        if (next(10) < (growing ? 7 : 3)) {
          assert.equal(map.set(key, step), model.get(key));
          model.set(key, step);
        } else {
          assert.equal(map.delete(key), model.get(key));
          model.delete(key);
        }
        if (step % 997 === 0) map.check();
      }
      map.check();
      assert.equal(map.size, model.size);
      const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual([...map.entries()], sorted);
      assert.deepEqual([...map.entries("", undefined, true)], sorted.toReversed());
      const cursor = map.cursor();
      for (let i = 0; i < 500; i++) {
        const from = `k${next(4000)}`;
        const to = `k${next(4000)}`;
        const inSpan = sorted.filter(([key]) => key >= from && key < to);
        assert.deepEqual([...map.entries(from, to)], inSpan);
        assert.deepEqual([...map.entries(from, to, true)], inSpan.toReversed());
        const at = (found: boolean) => (found ? cursor.key : undefined);
        assert.equal(at(cursor.seek(from)), sorted.find(([key]) => key >= from)?.[0]);
        assert.equal(at(cursor.seekAbove(from)), sorted.find(([key]) => key > from)?.[0]);
        assert.equal(at(cursor.seekBelow(from)), sorted.findLast(([key]) => key < from)?.[0]);
        assert.equal(at(cursor.seekAtOrBelow(from)), sorted.findLast(([key]) => key <= from)?.[0]);
        assert.equal(map.has(from), model.has(from));
      }
    });

    it(`iterates while keys come and go (seed ${seed})`, () => {
      const next = random(seed * 104729);
      for (const descending of [false, true]) {
        const map = new OrderedMap<number>();
        // Even keys stay; odd ones come and go.
        const name = (i: number) => `k${String(i).padStart(5, "0")}`;
        for (let i = 0; i < 2000; i += 2) map.set(name(i), i);
        const met: string[] = [];
        for (const [key, value] of map.entries("", undefined, descending)) {
          assert.equal(name(value), key);
          met.push(key);
          for (let i = next(4); i > 0; i--) {
            const odd = next(1000) * 2 + 1;
            if (!map.has(name(odd))) map.set(name(odd), odd);
            else map.delete(name(odd));
          }
        }
        map.check();
        const order = descending ? met.toReversed() : met;
        assert.deepEqual(order, [...new Set(order)].sort());
        const stayed = order.filter((key) => Number(key.slice(1)) % 2 === 0);
        assert.equal(stayed.length, 1000);
      }
    });
  }
});

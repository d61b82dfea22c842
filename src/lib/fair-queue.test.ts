import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FairQueue } from "./fair-queue.ts";

function drain<T>(queue: FairQueue<T>): T[] {
  const all: T[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) all.push(item);
  return all;
}

describe("FairQueue", () => {
  it("goes round the names of each level", () => {
    const queue = new FairQueue<string>();
    for (const n of [1, 2, 3]) queue.put(["a", "x"], `ax${n}`);
    queue.put(["a", "y"], "ay1");
    queue.put(["b", "x"], "bx1");
    queue.put(["b", "x"], "bx2");
    assert.equal(queue.size, 6);
    assert.equal(queue.sizeUnder("a"), 4);
    assert.deepEqual(drain(queue), ["ax1", "bx1", "ay1", "bx2", "ax2", "ax3"]);
    assert.equal(queue.size, 0);
    assert.equal(queue.sizeUnder("a"), 0);
  });

  it("lets a newcomer wait for one turn of each other name", () => {
    const queue = new FairQueue<number>();
    for (let n = 0; n < 1000; n++) queue.put(["flood"], n);
    queue.put(["quiet"], -1);
    assert.deepEqual([queue.take(), queue.take()], [0, -1]);
  });

  it("gives up an item that is no longer wanted", () => {
    const queue = new FairQueue<string>();
    queue.put(["a", "x"], "1");
    queue.put(["a", "x"], "2");
    queue.put(["b", "x"], "3");
    assert.equal(queue.remove(["b", "x"], "3"), true);
    assert.equal(queue.remove(["b", "x"], "3"), false);
    assert.equal(queue.remove(["a", "x"], "1"), true);
    assert.equal(queue.remove(["a", "x"], "9"), false);
    assert.equal(queue.size, 1);
    assert.deepEqual(drain(queue), ["2"]);
  });
});

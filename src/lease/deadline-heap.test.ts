import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../lib/prng.ts";
import { DeadlineHeap, type HeapEntry } from "./deadline-heap.ts";

describe("DeadlineHeap", () => {
  it("agrees with a sorted list, whatever is added, moved and removed", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = new Prng(seed);
      const heap = new DeadlineHeap<number>();
      const entries: HeapEntry<number>[] = [];
      for (let step = 0; step < 300; step++) {
        const action = random.below(5);
        if (action < 3 || entries.length === 0) {
          entries.push(heap.add(random.below(50), step));
        } else if (action === 3) {
          heap.rekey(random.pick(entries), random.below(50));
        } else {
          heap.remove(entries.splice(random.below(entries.length), 1)[0]!);
        }
        const earliest = Math.min(...entries.map((entry) => entry.keyMs));
        assert.equal(heap.size, entries.length, `seed ${seed}`);
        if (entries.length > 0) assert.equal(heap.head?.keyMs, earliest, `seed ${seed}, step ${step}`);
      }
      const drained: number[] = [];
      while (heap.head !== undefined) {
        drained.push(heap.head.keyMs);
        heap.remove(heap.head);
      }
      assert.deepEqual(
        drained,
        entries.map((entry) => entry.keyMs).sort((a, b) => a - b),
        `seed ${seed}`,
      );
    }
  });

  it("refuses an entry that it does not hold", () => {
    const heap = new DeadlineHeap<string>();
    const entry = heap.add(1, "a");
    heap.remove(entry);
    assert.equal(entry.index, -1);
    assert.throws(() => heap.remove(entry), /another heap/);
    assert.throws(() => heap.rekey(new DeadlineHeap<string>().add(1, "b"), 2), /another heap/);
  });
});

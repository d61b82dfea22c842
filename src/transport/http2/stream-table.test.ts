import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../../lib/prng.ts";
import type { Http2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

describe("StreamTable", () => {
  it("does what a map does", () => {
    const seed = Number(process.env["SEED"] ?? Date.now());
    const prng = new Prng(seed);
    const table = new StreamTable();
    const map = new Map<number, Http2Stream>();
    let nextId = 1;
    for (let step = 0; step < 20_000; step++) {
      const wanted = 1 + prng.below(prng.chance(0.01) ? 1_000 : 60);
      if (map.size < wanted) {
        const stream = { id: nextId } as Http2Stream;
        nextId += 2 * (1 + prng.below(3));
        table.add(stream);
        map.set(stream.id, stream);
      } else {
        const stream = prng.pick([...map.values()]);
        assert.equal(table.delete(stream), true, `seed ${seed}`);
        assert.equal(table.delete(stream), false, `seed ${seed}`);
        map.delete(stream.id);
      }
      const id = 1 + 2 * prng.below(nextId);
      assert.equal(table.get(id), map.get(id), `seed ${seed}`);
      assert.equal(table.size, map.size, `seed ${seed}`);
    }
    const byId = (a: Http2Stream, b: Http2Stream) => a.id - b.id;
    assert.deepEqual([...table.values()].sort(byId), [...map.values()].sort(byId));
    table.clear();
    assert.equal(table.size, 0);
    assert.deepEqual([...table.values()], []);
  });
});

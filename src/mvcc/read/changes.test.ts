import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Revision } from "../../lib/ids.ts";
import { finish } from "../../lib/steps.ts";
import { storeFixture } from "../testing/fixture.ts";
import { deleteRequest, ops, term } from "../testing/requests.ts";

function readAll(store: ReturnType<typeof storeFixture>["store"], after: number, rows: number, bytes = 1e9) {
  const slices: string[] = [];
  let at = after as Revision;
  while (at < store.revision) {
    const slice = finish(store.changes(at, rows, bytes));
    slices.push(`${slice.versions.map((v) => `${v.modRevision}.${v.sub}`).join(" ")} -> ${slice.upTo}`);
    at = slice.upTo;
  }
  return slices;
}

describe("changes", () => {
  it("come from backend, sealed and active generation, never twice", () => {
    const { backend, store, put, flush } = storeFixture();
    put("a");
    put("b");
    flush();
    put("c");
    const generation = store.seal()!;
    put("d");
    const expected = ["2.0 3.0 -> 3", "4.0 -> 4", "5.0 -> 5"];
    assert.deepEqual(readAll(store, 1, 10), expected);
    backend.writeNow(generation);
    assert.deepEqual(readAll(store, 1, 10), expected, "the sealed one is in the backend, too");
    store.dropSealed();
    assert.deepEqual(readAll(store, 1, 10), ["2.0 3.0 4.0 -> 4", "5.0 -> 5"]);
  });

  it("keep a revision together, however small the slice", () => {
    for (const flushed of [false, true]) {
      const { store, put, txn, flush } = storeFixture();
      put("a");
      txn({ success: [1, 2, 3, 4, 5].map((i) => ops.put(`k${i}`)) });
      put("b");
      if (flushed) flush();
      for (const rows of [1, 2, 3]) {
        const slices = readAll(store, 1, rows);
        assert.equal(
          slices.map((slice) => slice.replace(/ ->.*/, "")).join(" "),
          "2.0 3.0 3.1 3.2 3.3 3.4 4.0",
        );
        for (const slice of slices) {
          const last = slice.replace(/.* -> /, "");
          assert.ok(slice.includes(`${last}.`), "a slice ends with its last revision");
          assert.ok(!slice.includes("3.") || slice.includes("3.0 3.1 3.2 3.3 3.4"), slice);
        }
      }
      assert.deepEqual(readAll(store, 3, 10), ["4.0 -> 4"]);
    }
  });

  it("keep the bytes of a slice", () => {
    const { store, put } = storeFixture();
    for (let i = 0; i < 4; i++) put("a", "x".repeat(100));
    assert.deepEqual(readAll(store, 1, 100, 150), ["2.0 3.0 -> 3", "4.0 5.0 -> 5"]);
  });

  it("leave out a transaction that is still being written", () => {
    const { store, put, next } = storeFixture();
    for (let i = 0; i < 600; i++) put(`k${i}`);
    const last = store.revision;
    const steps = store.applyDeleteRange(deleteRequest("k", "l"), next(), term);
    steps.next();
    const slice = finish(store.changes((last - 1) as Revision, 10, 1e9));
    assert.deepEqual([slice.versions.length, slice.upTo], [1, last]);
    assert.deepEqual(finish(store.changes(last, 10, 1e9)), { versions: [], upTo: last });
    finish(steps);
    assert.equal(finish(store.changes(last, 10, 1e9)).versions.length, 600);
  });
});

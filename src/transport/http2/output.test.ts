import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { waitFor } from "../testing/wait-for.ts";
import { FlushQueue } from "./output.ts";

describe("FlushQueue", () => {
  it("flushes everything after the callback that filled it", async () => {
    const queue = new FlushQueue(() => 0);
    const flushed: number[] = [];
    for (let index = 0; index < 100; index++) queue.add({ flush: () => flushed.push(index) });
    assert.deepEqual(flushed, []);
    await Promise.resolve();
    assert.deepEqual(
      flushed,
      Array.from({ length: 100 }, (_, index) => index),
    );
  });

  it("gives others their turn when that takes too long", async () => {
    let nowMs = 0;
    const queue = new FlushQueue(() => nowMs);
    const flushed: number[] = [];
    for (let index = 0; index < 100; index++) {
      queue.add({
        flush() {
          flushed.push(index);
          nowMs += 1;
        },
      });
    }
    await Promise.resolve();
    assert.ok(flushed.length >= 5 && flushed.length < 32, `${flushed.length} in the first turn`);
    await waitFor("the rest", () => flushed.length === 100);
    assert.deepEqual(
      flushed,
      Array.from({ length: 100 }, (_, index) => index),
    );
  });
});

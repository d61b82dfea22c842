import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../../lib/prng.ts";
import { grpcMessage } from "../testing/raw-client.ts";
import { Deframer } from "./deframer.ts";

describe("Deframer", () => {
  it("gives the same messages however the bytes are cut, and never overwrites one", () => {
    const seed = Number(process.env["SEED"] ?? Date.now());
    const prng = new Prng(seed);
    const random = (below: number) => prng.below(below);
    for (let round = 0; round < 100; round++) {
      const messages = Array.from({ length: 1 + random(10) }, () =>
        Buffer.from(Array.from({ length: random(3) === 0 ? random(20_000) : random(20) }, () => random(256))),
      );
      const all = Buffer.concat(messages.map((message) => grpcMessage(message)));
      const deframer = new Deframer();
      const taken: Uint8Array[] = [];
      for (let at = 0; at < all.length; ) {
        const end = Math.min(all.length, at + 1 + random(random(2) === 0 ? 10 : 5_000));
        deframer.append(all, at, end);
        at = end;
        while (random(4) > 0 && deframer.hasMessage) taken.push(deframer.take());
      }
      while (deframer.hasMessage) taken.push(deframer.take());
      assert.deepEqual(
        taken.map((bytes) => Buffer.from(bytes)),
        messages,
        `seed ${seed}, round ${round}`,
      );
      assert.equal(deframer.heldBytes, 0);
    }
  });

  it("does not allocate what a prefix only announces", () => {
    const deframer = new Deframer();
    deframer.append(Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]), 0, 5);
    deframer.append(Buffer.alloc(10_000), 0, 10_000);
    assert.ok(deframer.allocatedBytes <= 2 * 10_005);
  });
});

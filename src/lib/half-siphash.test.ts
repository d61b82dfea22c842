import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { halfSipHash } from "./half-siphash.ts";

/** The hash as the authors print it. */
function hashOf(bytes: Uint8Array, key: readonly [number, number]): string {
  const words = new Uint32Array(2);
  halfSipHash(bytes, key, words);
  const out = new DataView(new ArrayBuffer(8));
  for (const i of [0, 1]) out.setUint32(4 * i, words[i]!, true);
  return Buffer.from(out.buffer).toString("hex");
}

describe("HalfSipHash", () => {
  it("gives the authors' test vectors", () => {
    // The key is 00 01 .. 07, the input 00 01 .. of each length.
    const key = [0x03020100, 0x07060504] as const;
    const expected = ["218d1f59b9b83cc8", "be552412f8387315"];
    for (const [length, hash] of expected.entries()) {
      assert.equal(
        hashOf(
          Uint8Array.from({ length }, (_, i) => i),
          key,
        ),
        hash,
      );
    }
  });

  it("depends on every byte, the length and the key", () => {
    const key = [1, 2] as const;
    const hashes = new Set<string>();
    for (let length = 0; length < 20; length++) {
      hashes.add(hashOf(new Uint8Array(length), key));
      for (let i = 0; i < length; i++) {
        const bytes = new Uint8Array(length);
        bytes[i] = 1;
        hashes.add(hashOf(bytes, key));
      }
    }
    hashes.add(hashOf(new Uint8Array(3), [1, 3]));
    hashes.add(hashOf(new Uint8Array(3), [2, 2]));
    assert.equal(hashes.size, 20 + 190 + 2);
  });
});

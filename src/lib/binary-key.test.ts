import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeByCharCode, fromBinaryKey, toBinaryKey } from "./binary-key.ts";

test("every byte survives the way to a string and back, with Buffer and without", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (const decode of [toBinaryKey, decodeByCharCode]) {
    const key = decode(all);
    assert.equal(key.length, 256);
    for (let i = 0; i < 256; i++) assert.equal(key.charCodeAt(i), i);
    assert.deepEqual(fromBinaryKey(key), all);
    assert.equal(decode(new Uint8Array(0)), "");
  }
});

test("long keys and views into larger buffers are decoded like any other", () => {
  const large = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7) & 255);
  const view = large.subarray(100, 9_000);
  assert.equal(toBinaryKey(view), decodeByCharCode(view));
  assert.deepEqual(fromBinaryKey(toBinaryKey(view)), Uint8Array.from(view));
});

test("binary strings compare as their bytes do", () => {
  const below = toBinaryKey(Uint8Array.of(0x7f, 0xff));
  const above = toBinaryKey(Uint8Array.of(0x80));
  assert.ok(below < above);
  assert.ok(toBinaryKey(Uint8Array.of(1)) < toBinaryKey(Uint8Array.of(1, 0)));
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crc32c, crc32cOfView } from "./crc32c.ts";

/** The definition, a bit at a time: what the tables have to agree with. */
function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

const ascii = (text: string) => new TextEncoder().encode(text);

/** Bytes that look random and are the same in every run. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 11) & 255);
}

describe("crc32c", () => {
  it("gives the published values", () => {
    assert.equal(crc32c(ascii("")), 0);
    assert.equal(crc32c(ascii("123456789")), 0xe3069283); // the usual check value
    // RFC 3720, appendix B.4
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c);
    assert.equal(crc32c(ascii("The quick brown fox jumps over the lazy dog")), 0x22620404);
  });

  it("agrees with the definition at every length and alignment around a step", () => {
    const bytes = pattern(200);
    for (let start = 0; start < 20; start++) {
      for (let end = start; end < 120; end++) {
        const part = bytes.subarray(start, end);
        assert.equal(crc32c(part), bitwise(part), `${start}..${end}`);
      }
    }
  });

  it("can be taken in pieces", () => {
    const bytes = pattern(100);
    const view = new DataView(bytes.buffer);
    const whole = crc32c(bytes);
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.equal(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut))), whole);
      assert.equal(crc32cOfView(view, cut, 100, crc32cOfView(view, 0, cut)), whole);
    }
  });

  it("notices every single flipped bit", () => {
    const bytes = pattern(64);
    const whole = crc32c(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
      assert.notEqual(crc32c(bytes), whole);
      bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
    }
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeHuffman, huffmanCodes } from "./huffman.ts";

/** Encodes by the table, bit by bit: slow, and another way than the decoder's. */
function encode(octets: Uint8Array): Buffer {
  const byOctet = new Map(huffmanCodes().map((code) => [code.symbol, code]));
  let bits = "";
  for (const octet of octets) {
    const { bits: code, length } = byOctet.get(octet)!;
    bits += code.toString(2).padStart(length, "0");
  }
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2)));
}

describe("Huffman code", () => {
  it("has the codes of RFC 7541, appendix B", () => {
    const byOctet = new Map(huffmanCodes().map(({ symbol, bits, length }) => [symbol, [bits, length]]));
    // A few of each length, read off the appendix.
    assert.deepEqual(byOctet.get(0x30), [0x0, 5]);
    assert.deepEqual(byOctet.get(0x74), [0x9, 5]);
    assert.deepEqual(byOctet.get(0x20), [0x14, 6]);
    assert.deepEqual(byOctet.get(0x3a), [0x5c, 7]);
    assert.deepEqual(byOctet.get(0x58), [0xfc, 8]);
    assert.deepEqual(byOctet.get(0x21), [0x3f8, 10]);
    assert.deepEqual(byOctet.get(0x7c), [0x7fc, 11]);
    assert.deepEqual(byOctet.get(0x00), [0x1ff8, 13]);
    assert.deepEqual(byOctet.get(0x5c), [0x7fff0, 19]);
    assert.deepEqual(byOctet.get(0x80), [0xfffe6, 20]);
    assert.deepEqual(byOctet.get(0xff), [0x3ffffee, 26]);
    assert.deepEqual(byOctet.get(0x0a), [0x3ffffffc, 30]);
    assert.deepEqual(byOctet.get(256), [0x3fffffff, 30]);
  });

  it("decodes every octet, alone and among others", () => {
    const all = Uint8Array.from({ length: 256 }, (_, octet) => octet);
    const whole = encode(all);
    assert.equal(decodeHuffman(whole, 0, whole.length), Buffer.from(all).toString("latin1"));
    for (const octet of all) {
      const text = Uint8Array.of(octet, 0x61, octet);
      const code = encode(text);
      assert.equal(decodeHuffman(code, 0, code.length), Buffer.from(text).toString("latin1"));
    }
  });

  it("decodes strings longer than its buffer", () => {
    const text = Buffer.alloc(50_000, "0123456789");
    const code = encode(text);
    assert.equal(decodeHuffman(code, 0, code.length), text.toString());
  });
});

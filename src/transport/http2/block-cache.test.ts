import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeFields } from "../hpack/encoder.ts";
import { BlockCache } from "./block-cache.ts";
import { parseRequestHead } from "./request-head.ts";

function headOf(path: string) {
  return parseRequestHead(1, [":method", "GET", ":scheme", "http", ":path", path]);
}

function blockOf(path: string): Uint8Array {
  return encodeFields([[":path", path]]);
}

describe("BlockCache", () => {
  it("finds a block again, wherever it lies, in the same generation only", () => {
    const cache = new BlockCache({ slots: 4, maxBlockBytes: 64 });
    const head = headOf("/a");
    const block = blockOf("/a");
    assert.equal(cache.find(block, 0, block.length, 0), undefined);
    cache.keep(block, 0, block.length, 0, head);
    const elsewhere = Buffer.concat([Buffer.of(9, 9), block, Buffer.of(9)]);
    assert.equal(cache.find(elsewhere, 2, 2 + block.length, 0), head);
    assert.equal(cache.find(elsewhere, 2, 2 + block.length, 1), undefined);
    assert.equal(cache.find(elsewhere, 1, 1 + block.length, 0), undefined);
  });

  it("keeps a copy, not the chunk it came in", () => {
    const cache = new BlockCache({ slots: 4, maxBlockBytes: 64 });
    const block = Buffer.from(blockOf("/a"));
    cache.keep(block, 0, block.length, 0, headOf("/a"));
    const same = Buffer.from(block);
    block.fill(0);
    assert.equal(cache.find(same, 0, same.length, 0)?.path, "/a");
    assert.equal(cache.find(block, 0, block.length, 0), undefined);
  });

  it("never mixes blocks up, however few places there are", () => {
    const cache = new BlockCache({ slots: 2, maxBlockBytes: 64 });
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 50; index++) {
        const block = blockOf(`/${index}`);
        const found = cache.find(block, 0, block.length, 0);
        if (found === undefined) cache.keep(block, 0, block.length, 0, headOf(`/${index}`));
        else assert.equal(found.path, `/${index}`);
      }
    }
  });

  it("leaves large blocks alone", () => {
    const cache = new BlockCache({ slots: 4, maxBlockBytes: 8 });
    const block = blockOf("/a-long-path");
    cache.keep(block, 0, block.length, 0, headOf("/a-long-path"));
    assert.equal(cache.find(block, 0, block.length, 0), undefined);
  });
});

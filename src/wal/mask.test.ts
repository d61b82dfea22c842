import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../lib/prng.ts";
import { applyMask, chooseMask, hasZeroSector } from "./mask.ts";

/** Words of a frame, header included, that a disk would hold at `position`. */
function frameOf(payload: Uint8Array): DataView {
  const bytes = new Uint8Array(32 + payload.length);
  bytes.fill(0xee, 0, 32);
  bytes.set(payload, 32);
  return new DataView(bytes.buffer);
}

/** In each sector of the file, the least number of set words. */
function leastWords(view: DataView, position: number): number {
  const counts = new Map<number, number>();
  for (let at = 0; at < view.byteLength; at += 4) {
    const sector = Math.floor((position + at) / 512);
    counts.set(sector, (counts.get(sector) ?? 0) + (view.getInt32(at, true) !== 0 ? 1 : 0));
  }
  return Math.min(...counts.values());
}

describe("the mask", () => {
  it("changes nothing where no sector is near to zeros", () => {
    const view = frameOf(new Uint8Array(4096).fill(7));
    assert.equal(chooseMask(view, view.byteLength, 64, 1), 0);
  });

  it("leaves no sector near to zeros, wherever the frame lies and whatever is in it", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Prng(seed);
      const payload = new Uint8Array(32 * (1 + random.below(200)));
      const words = new Uint32Array(payload.buffer);
      // Long stretches of one word: zeros, and words that a mask may be.
      for (let at = 0; at < words.length; ) {
        const word = random.pick([0, 0, 1, 0x9e3779b1, 0xffffffff, 0x01010101]);
        const end = Math.min(words.length, at + 1 + random.below(300));
        words.fill(word, at, end);
        at = end;
      }
      const view = frameOf(payload);
      const before = new Uint8Array(view.buffer).slice();
      const position = 32 * random.below(100);
      const mask = chooseMask(view, view.byteLength, position, seed);
      applyMask(view, view.byteLength, mask);
      assert.ok(leastWords(view, position) >= 4, `seed ${seed}`);
      assert.ok(!hasZeroSector(view, 0, view.byteLength, position), `seed ${seed}`);
      applyMask(view, view.byteLength, mask);
      assert.deepEqual(new Uint8Array(view.buffer), before, `seed ${seed}`);
    }
  });

  it("is found even when each sector is made of the mask tried next", () => {
    const payload = new Uint8Array(512 * 20);
    const words = new Uint32Array(payload.buffer);
    const seed = 77;
    let mask = 0;
    for (let sector = 0; sector < 20; sector++) {
      words.fill(mask, sector * 128, (sector + 1) * 128);
      mask = (Math.imul(mask, 0x9e3779b1) + (seed | 1)) >>> 0;
    }
    // The payload begins at a sector's beginning, so that each stretch fills one.
    const view = frameOf(payload);
    const chosen = chooseMask(view, view.byteLength, 480, seed);
    applyMask(view, view.byteLength, chosen);
    assert.ok(leastWords(view, 480) >= 4);
  });
});

describe("hasZeroSector", () => {
  it("counts sectors from the beginning of the file", () => {
    const view = new DataView(new Uint8Array(1024).fill(1).buffer);
    assert.equal(hasZeroSector(view, 0, 1024, 0), false);
    new Uint8Array(view.buffer).fill(0, 256, 768);
    assert.equal(hasZeroSector(view, 0, 1024, 0), false);
    assert.equal(hasZeroSector(view, 0, 1024, 256), true);
    assert.equal(hasZeroSector(view, 0, 1024, 768), true);
    // A part of a sector at either end counts as well.
    assert.equal(hasZeroSector(view, 256, 400, 256 + 512), true);
    assert.equal(hasZeroSector(view, 200, 400, 200), false);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type FrameHeader,
  readFrameHeader,
  readSegmentHead,
  type SegmentHead,
  writeFrameHeader,
  writeSegmentHead,
} from "./format.ts";

const salt = 0xdeadbeef;
const position = 4096 * 32;
const header = {
  durable: true,
  payloadBytes: 320,
  mask: 0xfedcba98,
  chain: 0x87654321,
  payloadChecksum: 0xffffffff,
};

function written(changes: Partial<FrameHeader> = {}): DataView {
  const view = new DataView(new ArrayBuffer(32));
  writeFrameHeader(view, salt, position, { ...header, ...changes });
  return view;
}

describe("a frame's header", () => {
  it("comes back as it was written", () => {
    for (const changes of [{}, { durable: false }, { payloadBytes: 1024 * 1024 * 1024, mask: 0, chain: 0 }]) {
      const view = written(changes);
      const found = readFrameHeader(view, 0, salt, position);
      assert.deepEqual(found, { ...header, ...changes, headerChecksum: view.getUint32(28, true) });
    }
  });

  it("counts only in its own segment and at its own place", () => {
    assert.equal(readFrameHeader(written(), 0, salt + 1, position), "invalid");
    assert.equal(readFrameHeader(written(), 0, salt, position + 32), "invalid");
  });

  it("has a length within bounds", () => {
    for (const payloadBytes of [0, 33, 1024 * 1024 * 1024 + 32]) {
      assert.equal(readFrameHeader(written({ payloadBytes }), 0, salt, position), "invalid");
    }
  });

  it("is invalid with any bit flipped, and zeros are zeros", () => {
    for (let bit = 0; bit < 256; bit++) {
      const view = written();
      view.setUint8(bit >> 3, view.getUint8(bit >> 3) ^ (1 << (bit & 7)));
      assert.equal(readFrameHeader(view, 0, salt, position), "invalid", `bit ${bit}`);
    }
    const zeros = new DataView(new ArrayBuffer(32));
    assert.equal(readFrameHeader(zeros, 0, salt, position), "zeros");
    zeros.setUint8(31, 1);
    assert.equal(readFrameHeader(zeros, 0, salt, position), "invalid");
  });
});

describe("a segment's head", () => {
  const head: SegmentHead = {
    sequence: 2 ** 40,
    firstIndex: Number.MAX_SAFE_INTEGER,
    salt: 0xffffffff,
    previousEnd: 2 ** 33,
    previousChain: 0x80000000,
  };

  it("comes back as it was written", () => {
    const view = new DataView(new ArrayBuffer(64));
    const checksum = writeSegmentHead(view, head);
    assert.deepEqual(readSegmentHead(view), { head, checksum });
  });

  it("is refused with any bit flipped", () => {
    for (let bit = 0; bit < 512; bit++) {
      const view = new DataView(new ArrayBuffer(64));
      writeSegmentHead(view, head);
      view.setUint8(bit >> 3, view.getUint8(bit >> 3) ^ (1 << (bit & 7)));
      assert.equal(typeof readSegmentHead(view), "string", `bit ${bit}`);
    }
  });
});

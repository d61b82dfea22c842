import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../../lib/prng.ts";
import { frameBytes } from "../testing/raw-client.ts";
import { FrameReader } from "./frame-reader.ts";
import { ConnectionError, ErrorCode } from "./protocol.ts";

interface Seen {
  type: number;
  flags: number;
  streamId: number;
  payload: Buffer;
}

class Recorder {
  readonly seen: Seen[] = [];
  /** Yields before each frame while above zero. */
  yields = 0;

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.seen.push({ type, flags, streamId, payload: bytes.subarray(start, end) });
  }

  shouldYield(): boolean {
    return this.yields-- > 0;
  }
}

describe("FrameReader", () => {
  it("sees the same frames however the bytes are cut, and views stay what they were", () => {
    const seed = Number(process.env["SEED"] ?? Date.now());
    const prng = new Prng(seed);
    const random = (below: number) => prng.below(below);
    for (let round = 0; round < 200; round++) {
      const frames: Seen[] = Array.from({ length: 1 + random(8) }, () => ({
        type: random(12),
        flags: random(256),
        streamId: random(2 ** 31),
        payload: Buffer.from(
          Array.from({ length: random(4) === 0 ? random(3000) : random(12) }, () => random(256)),
        ),
      }));
      const all = Buffer.concat(
        frames.map(({ type, flags, streamId, payload }) => frameBytes(type, flags, streamId, payload)),
      );
      const recorder = new Recorder();
      const reader = new FrameReader(recorder, 16_384);
      for (let at = 0; at < all.length; ) {
        const end = Math.min(all.length, at + 1 + random(random(3) === 0 ? 2000 : 20));
        const chunk = Buffer.from(all.subarray(at, end));
        assert.equal(reader.read(chunk, 0), chunk.length, `seed ${seed}`);
        at = end;
      }
      assert.deepEqual(recorder.seen, frames, `seed ${seed}, round ${round}`);
    }
  });

  it("refuses a frame larger than agreed before it has come", () => {
    const tooLarge = frameBytes(0, 0, 1, Buffer.alloc(101));
    for (const cut of [tooLarge.length, 20, 9]) {
      const reader = new FrameReader(new Recorder(), 100);
      assert.throws(
        () => reader.read(tooLarge.subarray(0, cut), 0),
        (cause) => cause instanceof ConnectionError && cause.code === ErrorCode.frameSizeError,
      );
    }
  });

  it("stops where the sink yields, and goes on there", () => {
    const chunk = Buffer.concat([1, 2, 3].map((streamId) => frameBytes(0, 0, streamId, Buffer.of(7))));
    const recorder = new Recorder();
    const reader = new FrameReader(recorder, 100);
    recorder.yields = 1;
    assert.equal(reader.read(chunk, 0), 0);
    assert.equal(reader.read(chunk, 10), 30);
    assert.deepEqual(
      recorder.seen.map(({ streamId }) => streamId),
      [2, 3],
    );
  });
});

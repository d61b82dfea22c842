import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { FrameReader } from "../../transport/http2/frame-reader.ts";
import { FrameWriter, putFrameHeader } from "../../transport/http2/frame-writer.ts";
import { BufferPool, Output } from "../../transport/http2/output.ts";
import {
  clientPreface,
  flagEndStream,
  frameData,
  frameHeaderBytes,
  frameHeaders,
  frameWindowUpdate,
  settingInitialWindowSize,
} from "../../transport/http2/protocol.ts";
import { ClientConnection } from "./connection.ts";

const head = Buffer.from([0x83, 0x86]);
const deaf = { onMessage: () => true, onEnd: () => {} };
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly bytes: number;
}

/** The socket of a connection, of which every write is seen. */
class Wire extends Duplex {
  readonly writes: Buffer[] = [];
  /** While false, writes are taken but not finished. */
  isReading = true;
  #finish: (() => void)[] = [];

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(Buffer.from(chunk));
    if (this.isReading) done();
    else this.#finish.push(done);
  }

  readOn(): void {
    this.isReading = true;
    for (const done of this.#finish.splice(0)) done();
  }

  /** The frames of all writes so far. */
  get frames(): Frame[] {
    const frames: Frame[] = [];
    const onFrame = (type: number, flags: number, id: number, _b: Buffer, start: number, end: number) =>
      void frames.push({ type, flags, id, bytes: end - start });
    const reader = new FrameReader({ onFrame, shouldYield: () => false }, 16_384);
    reader.read(Buffer.concat(this.writes).subarray(clientPreface.length), 0);
    return frames;
  }

  /** What a server says. */
  say(write: (frames: FrameWriter) => void): void {
    const other = new Duplex({
      read() {},
      write: (chunk, _encoding, done) => {
        this.push(chunk);
        done();
      },
    });
    const pool = new BufferPool();
    const output = new Output({ socket: other, pool, highWaterBytes: 1e9, onFirstByte: () => {} });
    write(new FrameWriter(output, 16_384));
    output.send();
  }
}

async function connected(): Promise<{ wire: Wire; connection: ClientConnection }> {
  const wire = new Wire();
  const connection = new ClientConnection(
    wire as unknown as Socket,
    { timeMs: 0, timeoutMs: 1_000 },
    () => {},
  );
  wire.say((frames) => frames.settings([]));
  await connection.ready;
  await nextTurn();
  return { wire, connection };
}

describe("the client's connection", () => {
  it("says all of a turn in one write", async () => {
    const { wire, connection } = await connected();
    const before = wire.writes.length;
    for (let call = 0; call < 50; call++) {
      const stream = connection.open(head, deaf);
      stream.send(new Uint8Array(100));
      stream.halfClose();
    }
    await nextTurn();
    assert.equal(wire.writes.length, before + 1);
    const calls = wire.frames.filter(({ id }) => id > 0);
    assert.equal(calls.filter(({ type }) => type === frameHeaders).length, 50);
    // In the order in which they were made, each whole.
    const ids = calls.map(({ id }) => id);
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    );
    connection.close();
  });

  it("sends what was said last before it is closed", async () => {
    const { wire, connection } = await connected();
    connection.open(head, deaf);
    connection.close();
    assert.equal(wire.frames.at(-1)?.type, frameHeaders);
  });

  it("stops at the windows, of a stream and of all, and goes on when they open", async () => {
    const { wire, connection } = await connected();
    wire.say((frames) => frames.settings([[settingInitialWindowSize, 40_000]]));
    await nextTurn();
    const streams = [connection.open(head, deaf), connection.open(head, deaf)];
    for (const stream of streams) {
      stream.send(new Uint8Array(50_000 - 5));
      stream.halfClose();
    }
    await nextTurn();
    const sent = (id: number) =>
      wire.frames
        .filter((frame) => frame.type === frameData && frame.id === id)
        .reduce((sum, { bytes }) => sum + bytes, 0);
    // 65,535 octets for all.
    assert.deepEqual([sent(1), sent(3)], [40_000, 25_535]);
    wire.say((frames) => frames.windowUpdate(0, 100_000));
    await nextTurn();
    assert.deepEqual([sent(1), sent(3)], [40_000, 40_000]);
    wire.say((frames) => frames.windowUpdate(3, 100_000));
    await nextTurn();
    assert.deepEqual([sent(1), sent(3)], [40_000, 50_000]);
    assert.equal(wire.frames.at(-1)?.flags, flagEndStream);
    connection.close();
  });

  it("keeps what a socket does not take where it is counted, and sends it then", async () => {
    const { wire, connection } = await connected();
    wire.say((frames) => {
      frames.settings([[settingInitialWindowSize, 0x7fffffff]]);
      frames.windowUpdate(0, 0x7fff0000 - 65_535);
    });
    await nextTurn();
    wire.isReading = false;
    const stream = connection.open(head, deaf);
    const message = new Uint8Array(4 * 1024 * 1024);
    stream.send(message);
    stream.halfClose();
    await nextTurn();
    assert.ok(wire.writableLength < 512 * 1024, `${wire.writableLength} wait in the socket`);
    wire.readOn();
    while (wire.frames.at(-1)?.flags !== flagEndStream) await nextTurn();
    const sent = wire.frames
      .filter(({ type }) => type === frameData)
      .reduce((sum, { bytes }) => sum + bytes, 0);
    assert.equal(sent, message.length + 5);
    connection.close();
  });

  it("gives windows back in portions, and to a reader that stops nothing more", async () => {
    const { wire, connection } = await connected();
    let wants = true;
    const stream = connection.open(head, { onMessage: () => wants, onEnd: () => {} });
    // A DATA frame with one message.
    const part = Buffer.alloc(frameHeaderBytes + 16_384);
    putFrameHeader(part, 0, 16_384, frameData, 0, 1);
    part.writeUInt32BE(16_384 - 5, frameHeaderBytes + 1);
    const say = async (count: number) => {
      for (let at = 0; at < count; at++) wire.push(part);
      await nextTurn();
      await nextTurn();
    };
    const updates = () => wire.frames.filter(({ type, id }) => type === frameWindowUpdate && id === 1).length;
    await say(15);
    assert.equal(updates(), 0);
    await say(1);
    assert.equal(updates(), 1);
    wants = false;
    await say(40);
    assert.equal(updates(), 1);
    wants = true;
    stream.take();
    await nextTurn();
    assert.equal(updates(), 2);
    connection.close();
  });
});

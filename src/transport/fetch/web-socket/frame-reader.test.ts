import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clientFrame } from "../../testing/web-socket-client.ts";
import { ClientFrameReader, FrameError } from "./frame-reader.ts";
import { encodeFrame, Opcode } from "./frames.ts";
import { LineFrames } from "./line-frames.ts";

/** What a reader makes of it, one line an event; messages are put together. */
function events(chunks: readonly Buffer[], messageBytesMax = 1 << 20): string[] {
  const seen: string[] = [];
  let parts: Buffer[] = [];
  const sink = {
    onPayload: (bytes: Uint8Array) => void parts.push(Buffer.from(bytes)),
    onMessageEnd: () => {
      const message = Buffer.concat(parts);
      seen.push(`message ${message.length < 20 ? message : message.length}`);
      parts = [];
    },
    onPing: (payload: Buffer) => void seen.push(`ping ${payload}`),
    onClose: (code: number | undefined) => void seen.push(`close ${code}`),
  };
  const reader = new ClientFrameReader(sink, messageBytesMax);
  try {
    for (const chunk of chunks) reader.read(Buffer.from(chunk));
  } catch (error) {
    assert.ok(error instanceof FrameError);
    seen.push(`${error.code} ${error.message}`);
  }
  return seen;
}

const close = (code: number, reason: string | Uint8Array = ""): Buffer =>
  clientFrame(8, Buffer.concat([Buffer.of(code >> 8, code & 255), Buffer.from(reason)]));

describe("frames of a WebSocket's client", () => {
  it("are read however they are cut", () => {
    const all = Buffer.concat([
      clientFrame(1, "hello"),
      clientFrame(2, "he", { isLast: false }),
      clientFrame(9, "are you there"),
      clientFrame(0, "", { isLast: false }),
      clientFrame(0, "llo"),
      clientFrame(10, "unasked"),
      clientFrame(1, "x".repeat(300)),
      clientFrame(1, "y".repeat(66_000)),
      clientFrame(1, ""),
      close(1000, "bye"),
      clientFrame(1, "after the end"),
    ]);
    const wanted = [
      "message hello",
      "ping are you there",
      "message hello",
      "message 300",
      "message 66000",
      "message ",
      "close 1000",
    ];
    for (const size of [1, 3, 1000, all.length]) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < all.length; at += size) chunks.push(all.subarray(at, at + size));
      assert.deepEqual(events(chunks), wanted, `in pieces of ${size}`);
    }
  });

  it("are refused in the words that etcd's clients see", () => {
    const tooLong = Buffer.concat([Buffer.of(0x81, 0xff), Buffer.alloc(8, 0x7f), Buffer.alloc(4)]);
    const cases: [Buffer, string][] = [
      [clientFrame(1, "x", { isMasked: false }), "1002 bad MASK"],
      [clientFrame(1, "x", { reserved: 0x70 }), "1002 RSV1 set, RSV2 set, RSV3 set"],
      [clientFrame(3, "x"), "1002 bad opcode 3"],
      [clientFrame(11, "x"), "1002 bad opcode 11"],
      [clientFrame(0, "x"), "1002 continuation after FIN"],
      [Buffer.concat([clientFrame(1, "x", { isLast: false }), clientFrame(2, "x")]), "1002 data before FIN"],
      [clientFrame(9, "x".repeat(126)), "1002 len > 125 for control"],
      [clientFrame(8, "", { isLast: false }), "1002 FIN not set on control"],
      [clientFrame(8, "x"), "1002 invalid close payload"],
      [close(1005), "1002 bad close code 1005"],
      [close(999), "1002 bad close code 999"],
      [close(5000), "1002 bad close code 5000"],
      [close(1000, Buffer.of(0xff)), "1002 invalid utf8 payload in close frame"],
      [tooLong, "1009 a frame is too large"],
      [clientFrame(1, "x".repeat(1001)), "1009 a message is larger than 1000 bytes"],
      [
        Buffer.concat([clientFrame(1, "x".repeat(600), { isLast: false }), clientFrame(0, "x".repeat(600))]),
        "1009 a message is larger than 1000 bytes",
      ],
    ];
    for (const [frame, wanted] of cases) assert.deepEqual(events([frame], 1000), [wanted]);
    assert.deepEqual(events([clientFrame(8, "")]), ["close undefined"]);
  });
});

describe("lines as frames", () => {
  const texts = (chunks: readonly string[]): string[] => {
    const lines = new LineFrames();
    const frames = chunks.flatMap((chunk) => lines.push(Buffer.from(chunk)));
    return [...frames, ...lines.end()].map((frame) => frame.toString("latin1"));
  };
  const text = (line: string): string => encodeFrame(Opcode.text, [Buffer.from(line)]).toString("latin1");

  it("are one a line, wherever chunks end, and none for an empty line", () => {
    assert.deepEqual(texts(["one\ntwo\n"]), ["one", "two"].map(text));
    assert.deepEqual(texts(["o", "n", "e\n\n", "\ntwo"]), ["one", "two"].map(text));
    assert.deepEqual(texts([]), []);
  });

  it("are several for a long one", () => {
    const lines = new LineFrames();
    const chunk = Buffer.alloc(40_000, 0x61);
    const frames = [chunk, chunk, chunk, Buffer.from("b\nc\n")].flatMap((piece) => lines.push(piece));
    const heads = frames.map((frame) => frame[0]);
    assert.deepEqual(heads, [Opcode.text, 0x80 | Opcode.continuation, 0x80 | Opcode.text]);
    const [first, second] = frames;
    assert.equal(first!.readBigUInt64BE(2), 80_000n);
    assert.equal(second!.readUInt16BE(2), 40_001);
  });
});

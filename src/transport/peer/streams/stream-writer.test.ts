import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import type { MemberId, RaftIndex, Term } from "../../../lib/ids.ts";
import { Metrics } from "../../../lib/metrics.ts";
import { type Message, MessageType, makeMessage } from "../../../lib/raft-message.ts";
import { FakeClock, settle } from "../../../lib/testing/fake-clock.ts";
import { silentLogger } from "../../../lib/testing/silent-logger.ts";
import { MessageDecoder } from "../frames/message-frames.ts";
import type { OutgoingStream } from "../http1/exchange.ts";
import { parseResponseHead } from "../http1/head.ts";
import { HttpParser } from "../http1/parser.ts";
import { defaultPeerLimits } from "../limits.ts";
import { PeerMetrics } from "../peer-metrics.ts";
import { PeerStatus } from "../peer-status.ts";
import { StreamWriter } from "./stream-writer.ts";

const local = 1n as MemberId;
const peerId = 2n as MemberId;

/** A socket that takes one write, and the next one when it is told to drain. */
class SlowStream implements OutgoingStream {
  readonly writes: number[] = [];
  readonly received: Message[] = [];
  isEnded = false;
  isDestroyed = false;
  isFast = false;
  drain = () => {};
  close = () => {};
  bodyBytes = 0;
  readonly #decoder = new MessageDecoder(defaultPeerLimits);
  readonly #parser: HttpParser<ReturnType<typeof parseResponseHead>>;

  constructor() {
    this.#parser = new HttpParser(parseResponseHead, defaultPeerLimits.http, {
      onHead: () => {},
      onBody: (bytes) => {
        this.bodyBytes += bytes.length;
        this.#decoder.push(bytes, this.received);
      },
      onEnd: () => {},
    });
    this.#parser.push(Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
  }

  write(bytes: Uint8Array): boolean {
    this.writes.push(bytes.length);
    this.#parser.push(new Uint8Array(bytes));
    return this.isFast;
  }
  onDrain(callback: () => void): void {
    this.drain = callback;
  }
  onClose(callback: () => void): void {
    this.close = callback;
  }
  end(): void {
    this.isEnded = true;
  }
  destroy(): void {
    this.isDestroyed = true;
  }
}

function writerOn(clock: FakeClock) {
  const series = new PeerMetrics(new Metrics(), local).of(peerId);
  const status = new PeerStatus(peerId, clock, silentLogger, series);
  const lost = { times: 0 };
  const writer = new StreamWriter({
    type: "message",
    localId: local,
    peerId,
    status,
    series,
    limits: { ...defaultPeerLimits, streamMessages: 100, writeBytes: 100_000 },
    clock,
    logger: silentLogger,
    onLost: () => {
      lost.times++;
    },
  });
  return { writer, status, lost };
}

const heartbeat = makeMessage({ type: MessageType.heartbeat, from: local, to: peerId });
const append = (index: number, bytes: number): Message =>
  makeMessage({
    type: MessageType.app,
    from: local,
    to: peerId,
    term: 1 as Term,
    logTerm: 1 as Term,
    index: index as RaftIndex,
    entries: [{ type: 0, term: 1 as Term, index: (index + 1) as RaftIndex, data: new Uint8Array(bytes) }],
  });

describe("a writer of a stream", () => {
  it("sends what gathers in a turn with one write", async () => {
    const clock = new FakeClock();
    const { writer } = writerOn(clock);
    const stream = new SlowStream();
    writer.attach(stream);
    for (let i = 0; i < 10; i++) assert.ok(writer.send(heartbeat));
    assert.equal(stream.writes.length, 0);
    await settle();
    assert.equal(stream.writes.length, 1);
    assert.equal(stream.received.length, 10);
  });

  it("lets a heartbeat wait for no more than the message that is being written", async () => {
    const clock = new FakeClock();
    const { writer } = writerOn(clock);
    const stream = new SlowStream();
    writer.attach(stream);
    for (let i = 1; i <= 20; i++) assert.ok(writer.send(append(i, 1_000_000)));
    await settle();
    assert.ok(writer.send(heartbeat));
    for (let drains = 0; drains < 11; drains++) stream.drain();
    assert.ok(stream.writes.every((bytes) => bytes <= 100_000));
    assert.deepEqual(
      stream.received.map(({ type }) => type),
      [MessageType.app, MessageType.heartbeat],
    );
    for (let drains = 0; drains < 250; drains++) stream.drain();
    assert.equal(stream.received.length, 21);
  });

  it("gives a sign of life when there is nothing else", async () => {
    const clock = new FakeClock();
    const { writer } = writerOn(clock);
    const stream = new SlowStream();
    stream.isFast = true;
    writer.attach(stream);
    await clock.advance(defaultPeerLimits.linkHeartbeatMs * 3 + 1);
    assert.equal(stream.writes.length, 3);
    // They are no messages of Raft.
    assert.deepEqual(stream.received, []);
    assert.ok(stream.bodyBytes > 0);
    writer.stop();
    await clock.advance(100_000);
    assert.equal(stream.writes.length, 3);
    assert.equal(clock.pendingTimers, 0);
    assert.ok(stream.isEnded);
  });

  it("gives up a stream that takes nothing, and says what is lost", async () => {
    const clock = new FakeClock();
    const { writer, status, lost } = writerOn(clock);
    const stream = new SlowStream();
    writer.attach(stream);
    assert.ok(status.isActive);
    writer.send(heartbeat);
    await settle();
    writer.send(heartbeat);
    await clock.advance(defaultPeerLimits.streamTimeoutMs + 1);
    clock.turn();
    assert.ok(stream.isDestroyed);
    assert.deepEqual([writer.isWorking, status.isActive, lost.times], [false, false, 1]);
  });

  it("is full after so many messages, and begins anew with a new stream", async () => {
    const clock = new FakeClock();
    const { writer, lost } = writerOn(clock);
    const first = new SlowStream();
    writer.attach(first);
    writer.send(append(1, 10));
    await settle();
    for (let i = 0; i < 100; i++) assert.ok(writer.send(heartbeat));
    assert.equal(writer.send(heartbeat), false);
    const second = new SlowStream();
    writer.attach(second);
    assert.deepEqual([first.isEnded, lost.times], [true, 1]);
    assert.ok(writer.send(append(2, 10)));
    await settle();
    assert.deepEqual(second.received, [append(2, 10)]);
    // The old one's end is nobody's business any more.
    first.close();
    assert.ok(writer.isWorking);
    second.close();
    assert.equal(writer.isWorking, false);
  });
});

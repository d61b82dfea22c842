import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RaftIndex, Term } from "../../../lib/ids.ts";
import { type Message, MessageType, makeMessage } from "../../../lib/raft-message.ts";
import { SendQueue } from "./send-queue.ts";

const app = (index: number, bytes: number): Message =>
  makeMessage({
    type: MessageType.app,
    index: index as RaftIndex,
    entries: [{ type: 0, term: 1 as Term, index: (index + 1) as RaftIndex, data: new Uint8Array(bytes) }],
  });
const heartbeat = makeMessage({ type: MessageType.heartbeat });

describe("a queue of messages", () => {
  it("lets heartbeats pass bulk, and keeps the order among each", () => {
    const queue = new SendQueue({ streamMessages: 10, streamBytes: 10_000 });
    const vote = makeMessage({ type: MessageType.vote });
    for (const message of [app(1, 10), app(2, 10), heartbeat, app(3, 10), vote])
      assert.ok(queue.push(message));
    const order = Array.from({ length: 5 }, () => queue.shift());
    assert.deepEqual(order, [heartbeat, vote, app(1, 10), app(2, 10), app(3, 10)]);
    assert.equal(queue.shift(), undefined);
  });

  it("is full by count", () => {
    const queue = new SendQueue({ streamMessages: 3, streamBytes: 10_000 });
    for (let i = 0; i < 3; i++) assert.ok(queue.push(heartbeat));
    assert.equal(queue.push(heartbeat), false);
    queue.shift();
    assert.ok(queue.push(heartbeat));
  });

  it("is full by bytes, but takes any one message", () => {
    const queue = new SendQueue({ streamMessages: 100, streamBytes: 1000 });
    assert.ok(queue.push(app(1, 5000)));
    assert.equal(queue.push(app(2, 1)), false);
    queue.shift();
    assert.ok(queue.push(app(2, 700)));
    assert.equal(queue.push(app(3, 700)), false);
    assert.equal(queue.length, 1);
    queue.clear();
    assert.ok(queue.push(app(3, 700)));
  });

  it("gives its room back over many messages", () => {
    const queue = new SendQueue({ streamMessages: 5000, streamBytes: 1_000_000 });
    let next = 0;
    let expected = 0;
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 100; i++) assert.ok(queue.push(app(next++, 100)));
      for (let i = 0; i < 100; i++) assert.equal(queue.shift()!.index, expected++);
    }
    assert.equal(queue.length, 0);
  });
});

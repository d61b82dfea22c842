import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { entrySize, writeEntry } from "../../../codec/raft-log.ts";
import { encodeMessage } from "../../../codec/raft-message.ts";
import type { MemberId, RaftIndex, Term } from "../../../lib/ids.ts";
import { Prng } from "../../../lib/prng.ts";
import type { Entry } from "../../../lib/raft-entry.ts";
import { emptyConfState } from "../../../lib/raft-entry.ts";
import { type Message, MessageType, makeMessage } from "../../../lib/raft-message.ts";
import { AppendDecoder, AppendEncoder } from "./append-frames.ts";
import { ByteQueue } from "./byte-queue.ts";
import { type FrameDecoder, type FrameEncoder, FrameError, linkHeartbeat, writeUint64 } from "./frame.ts";
import { MessageDecoder, MessageEncoder } from "./message-frames.ts";

const one = 1n as MemberId;
const two = 0xfedc_ba98_7654_3210n as MemberId;
const limits = { messageBytes: 1024 * 1024, messageEntries: 10_000 };

const entry = (index: number, term: number, data: Uint8Array = new Uint8Array([index & 0xff])): Entry => ({
  type: 0,
  term: term as Term,
  index: index as RaftIndex,
  data,
});

function append(
  term: number,
  logTerm: number,
  index: number,
  entries: readonly Entry[],
  commit: number,
): Message {
  return makeMessage({
    type: MessageType.app,
    from: one,
    to: two,
    term: term as Term,
    logTerm: logTerm as Term,
    index: index as RaftIndex,
    entries,
    commit: commit as RaftIndex,
  });
}

function encode(encoder: FrameEncoder, messages: readonly Message[]): Uint8Array {
  let size = 0;
  for (const message of messages) size += encoder.add(message);
  const bytes = new Uint8Array(size);
  assert.equal(encoder.write(bytes, 0), size);
  return bytes;
}

function decode(decoder: FrameDecoder, bytes: Uint8Array, cuts: readonly number[] = []): Message[] {
  const messages: Message[] = [];
  let from = 0;
  // Copies, as a socket's chunks are: nothing may depend on what lies behind a chunk.
  for (const cut of [...cuts, bytes.length]) {
    decoder.push(bytes.slice(from, cut), messages);
    from = cut;
  }
  return messages;
}

/** A leader's appends to one follower: mostly going on, at times jumping back or with a new term. */
function randomAppends(random: Prng, count: number): Message[] {
  const messages: Message[] = [];
  let term = 1 + random.below(5);
  let index = random.below(100);
  let logTerm = term;
  for (let i = 0; i < count; i++) {
    if (random.chance(0.1)) {
      term += random.below(3);
      index = Math.max(0, index - random.below(5));
      logTerm = Math.max(1, term - random.below(2));
    }
    const entries: Entry[] = [];
    for (let k = random.below(6); k > 0; k--) {
      const size = random.chance(0.1) ? random.below(4_000) : random.below(50);
      const data = Uint8Array.from({ length: size }, (_, at) => (size + at) & 0xff);
      entries.push(entry(index + entries.length + 1, term, data));
    }
    messages.push(append(term, logTerm, index, entries, random.below(1000)));
    index += entries.length;
    if (entries.length > 0) logTerm = term;
  }
  return messages;
}

const octetsOf = (bytes: Uint8Array) => Array.from(bytes.keys());

describe("msgappv2 frames", () => {
  it("have etcd's layout", () => {
    const first = append(7, 7, 10, [entry(11, 7), entry(12, 7)], 11);
    const next = append(7, 7, 12, [entry(13, 7)], 12);
    const empty = append(7, 7, 13, [], 13);
    const bytes = encode(new AppendEncoder(), [first, next, linkHeartbeat, empty]);
    const whole = encodeMessage(first);
    const size = entrySize(entry(13, 7));
    const expected = new Uint8Array(9 + whole.length + 17 + 8 + size + 1 + 17);
    let at = 0;
    expected[at++] = 2;
    at = writeUint64(expected, at, whole.length);
    expected.set(whole, at);
    at += whole.length;
    expected[at++] = 1;
    at = writeUint64(expected, at, 1);
    at = writeUint64(expected, at, size);
    at = writeEntry(expected, at, entry(13, 7));
    at = writeUint64(expected, at, 12);
    expected[at++] = 0;
    expected[at++] = 1;
    at = writeUint64(expected, at, 0);
    at = writeUint64(expected, at, 13);
    assert.equal(at, expected.length);
    assert.deepEqual(bytes, expected);
  });

  it("come back as they went, however they are cut", () => {
    for (let seed = 1; seed <= 15; seed++) {
      const random = new Prng(seed);
      const messages = randomAppends(random, 20);
      const bytes = encode(new AppendEncoder(), messages);
      const cuts = octetsOf(bytes).filter(() => random.chance(0.002));
      assert.deepEqual(decode(new AppendDecoder(two, one, limits), bytes, cuts), messages, `seed ${seed}`);
      if (seed <= 2) {
        const octets = decode(new AppendDecoder(two, one, limits), bytes, octetsOf(bytes));
        assert.deepEqual(octets, messages, `seed ${seed}, by octets`);
      }
    }
  });

  it("are whole messages again after one was dropped", () => {
    const encoder = new AppendEncoder();
    encode(encoder, [append(2, 2, 5, [entry(6, 2)], 5)]);
    // The message with entry 7 found no room.
    const bytes = encode(encoder, [append(2, 2, 7, [entry(8, 2)], 5)]);
    assert.equal(bytes[0], 2);
  });

  const decoderOf = () => new AppendDecoder(two, one, limits);
  const frame = (kind: number, ...numbers: number[]): Uint8Array => {
    const bytes = new Uint8Array(1 + 8 * numbers.length);
    bytes[0] = kind;
    numbers.forEach((number, i) => void writeUint64(bytes, 1 + 8 * i, number));
    return bytes;
  };
  const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const begun = () => encode(new AppendEncoder(), [append(7, 7, 10, [], 10)]);
  const framedEntry = (it: Entry) => {
    const bytes = new Uint8Array(8 + entrySize(it));
    writeEntry(bytes, writeUint64(bytes, 0, entrySize(it)), it);
    return bytes;
  };

  const bad: readonly (readonly [string, () => Uint8Array, RegExp])[] = [
    ["a kind that is none", () => frame(3), /failed to parse type 3/],
    ["entries before any message", () => frame(1, 1), /before any message/],
    ["too many entries", () => joined(begun(), frame(1, 10_001)), /too many entries/],
    ["a count above all numbers", () => joined(begun(), frame(1), new Uint8Array(8).fill(255)), /too many/],
    ["an entry too large", () => joined(begun(), frame(1, 1, 1024 * 1024 + 1)), /limit exceeded/],
    ["a message too large", () => frame(2, 1024 * 1024 + 1), /limit exceeded/],
    [
      "an entry that is no message",
      () => joined(begun(), frame(1, 1, 2), new Uint8Array([0xff, 0xff])),
      /parse/,
    ],
    [
      "an entry out of place",
      () => joined(begun(), frame(1, 1), framedEntry(entry(12, 7)), new Uint8Array(8)),
      /in the place of 11/,
    ],
    [
      "an entry of a later term",
      () => joined(begun(), frame(1, 1), framedEntry(entry(11, 8)), new Uint8Array(8)),
      /wrong term/,
    ],
    ["an entry of nothing", () => joined(begun(), frame(1, 1, 0, 0)), /in the place of 11/],
    ["a commit above all numbers", () => joined(begun(), frame(1, 0), new Uint8Array(8).fill(255)), /commit/],
    [
      "a message of another type",
      () => {
        const bytes = encodeMessage(makeMessage({ type: MessageType.vote, from: one, to: two }));
        return joined(frame(2, bytes.length), bytes);
      },
      /no MsgApp/,
    ],
  ];
  for (const [name, make, why] of bad) {
    it(`refuse ${name}`, () => {
      assert.throws(
        () => decode(decoderOf(), make()),
        (error: Error) => {
          assert.ok(error instanceof FrameError, error.stack);
          assert.match(error.message, why);
          return true;
        },
      );
    });
  }

  it("hold the limit for all entries of a message together", () => {
    const parts = [begun(), frame(1, 5)];
    for (let i = 0; i < 5; i++) parts.push(framedEntry(entry(11 + i, 7, new Uint8Array(300_000))));
    assert.throws(() => decode(decoderOf(), joined(...parts)), /limit exceeded/);
  });

  it("survive random bytes in place of their own", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = new Prng(seed);
      const bytes = encode(new AppendEncoder(), randomAppends(random, 5));
      for (let i = random.below(5); i >= 0; i--) bytes[random.below(bytes.length)] = random.below(256);
      try {
        decode(decoderOf(), bytes);
      } catch (error) {
        assert.ok(error instanceof FrameError, `seed ${seed}: ${error}`);
      }
    }
  });
});

describe("message frames", () => {
  const messages = [
    makeMessage({ type: MessageType.heartbeat, from: one, to: two, term: 3 as Term, commit: 9 as RaftIndex }),
    makeMessage({ type: MessageType.preVote, from: two, to: one, context: new Uint8Array([1, 2, 3]) }),
    append(3, 2, 4, [entry(5, 3), entry(6, 3)], 4),
  ];

  it("come back as they went, without the signs of life", () => {
    const bytes = encode(new MessageEncoder(), [linkHeartbeat, ...messages, linkHeartbeat]);
    assert.deepEqual(decode(new MessageDecoder(limits), bytes), messages);
    assert.deepEqual(decode(new MessageDecoder(limits), bytes, octetsOf(bytes)), messages);
  });

  it("refuse what is too large before it has come", () => {
    const bytes = new Uint8Array(8);
    writeUint64(bytes, 0, limits.messageBytes + 1);
    assert.throws(() => decode(new MessageDecoder(limits), bytes), /limit exceeded/);
  });

  it("refuse snapshots of nothing", () => {
    const none = makeMessage({ type: MessageType.snap, from: one, to: two });
    const metadata = { index: 0 as RaftIndex, term: 1 as Term, confState: emptyConfState };
    const empty = { ...none, snapshot: { metadata, data: new Uint8Array(0) } };
    for (const message of [none, empty]) {
      const bytes = encode(new MessageEncoder(), [message]);
      assert.throws(() => decode(new MessageDecoder(limits), bytes), FrameError);
    }
  });

  it("refuse more entries than the limit while reading them", () => {
    const entries = Array.from({ length: 20 }, (_, i) => entry(i + 1, 1, new Uint8Array(0)));
    const bytes = encode(new MessageEncoder(), [append(1, 0, 0, entries, 0)]);
    assert.throws(
      () => decode(new MessageDecoder({ ...limits, messageEntries: 19 }), bytes),
      /too many entries/,
    );
    assert.equal(decode(new MessageDecoder({ ...limits, messageEntries: 20 }), bytes).length, 1);
  });
});

describe("a queue of bytes", () => {
  it("gives what was put in, as views where it can", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = new Prng(seed);
      const queue = new ByteQueue();
      const all = Uint8Array.from({ length: 40_000 }, () => random.below(256));
      let put = 0;
      let taken = 0;
      while (taken < all.length) {
        const size = Math.min(all.length - put, random.chance(0.2) ? random.below(9000) : random.below(20));
        queue.push(all.slice(put, put + size));
        put += size;
        while (queue.length > 0 && (random.chance(0.7) || put === all.length)) {
          const count = random.below(Math.min(queue.length, 6000) + 1);
          const same = Buffer.compare(queue.take(count), all.subarray(taken, taken + count)) === 0;
          assert.ok(same, `seed ${seed} at ${taken}`);
          taken += count;
        }
        if (queue.length >= 8) {
          const expected = new DataView(all.buffer, taken, 8).getBigUint64(0);
          const got = queue.takeUint64();
          taken += 8;
          if (expected <= BigInt(Number.MAX_SAFE_INTEGER))
            assert.equal(got, Number(expected), `seed ${seed}`);
          else assert.equal(got, Number.POSITIVE_INFINITY);
        }
        assert.equal(queue.length, put - taken);
      }
    }
    const queue = new ByteQueue();
    const chunk = new Uint8Array(100);
    queue.push(chunk);
    assert.equal(queue.take(10).buffer, chunk.buffer);
  });
});

/** The rules of the wire format that no well-behaved client puts to the test. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeLeaseId } from "./lease.ts";
import { DecodeError, messageDepthLimit, Reader } from "./protowire-read.ts";
import {
  bigVarintSize,
  encodeUtf8,
  sealed,
  varintSize,
  writeBigVarint,
  writeVarint,
} from "./protowire-write.ts";
import { decodePutRequest } from "./put.ts";
import { decodeRaftRequest, encodeRaftRequest, raftField } from "./raft-internal.ts";
import { decodeRangeRequest } from "./range.ts";
import { decodeTxnRequest } from "./txn-request.ts";
import { decodeWatchRequest } from "./watch.ts";

const malformed = { name: "DecodeError", message: "proto: cannot parse invalid wire-format data" };

function bytes(...values: (number | readonly number[] | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => (typeof value === "number" ? [value] : [...value])));
}

/** A length-delimited field with a one-byte tag. */
function field(tag: number, body: Uint8Array): Uint8Array {
  const at = 1 + varintSize(body.length);
  const whole = new Uint8Array(at + body.length);
  whole[0] = tag;
  writeVarint(whole, 1, body.length);
  whole.set(body, at);
  return whole;
}

describe("varints", () => {
  const numbers = [0, 1, 127, 128, 16383, 16384, 2 ** 21 - 1, 2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 31 - 1];
  const large = [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 35, 2 ** 42 - 1, 2 ** 42, 2 ** 49, 2 ** 53 - 1];

  it("come back as they went", () => {
    const negative = [...numbers, ...large].map((value) => -value || 0);
    for (const value of [...numbers, ...large, ...negative, 2 ** 56, 2 ** 60, 2 ** 62]) {
      const buffer = new Uint8Array(varintSize(value));
      sealed(buffer, writeVarint(buffer, 0, value));
      assert.equal(new Reader(buffer).int(), value);
      assert.equal(new Reader(buffer).bigInt(), BigInt(value));
      if (value >= 0) assert.equal(new Reader(buffer).uint(), value);

      const big = new Uint8Array(bigVarintSize(BigInt(value)));
      sealed(big, writeBigVarint(big, 0, BigInt(value)));
      assert.deepEqual(big, buffer);
    }
  });

  it("keep all 64 bits as bigints", () => {
    for (const value of [2n ** 64n - 1n, 2n ** 63n, 2n ** 63n - 1n, 2n ** 56n, 2n ** 53n + 1n]) {
      const buffer = new Uint8Array(bigVarintSize(value));
      sealed(buffer, writeBigVarint(buffer, 0, value));
      assert.equal(new Reader(buffer).bigUint(), value);
      assert.equal(new Reader(buffer).bigInt(), BigInt.asIntN(64, value));
      assert.equal(new Reader(buffer).uint(), Number(value));
      assert.equal(new Reader(buffer).int(), Number(BigInt.asIntN(64, value)));
      assert.throws(() => new Reader(buffer).safeUint(), DecodeError);
    }
  });

  it("may be longer than they need be, but not than ten bytes or 64 bits", () => {
    const padded = bytes(0x85, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00);
    assert.equal(new Reader(padded).int(), 5);
    const ones = bytes(new Uint8Array(9).fill(0xff), 0x01);
    assert.equal(new Reader(ones).int(), -1);
    assert.throws(() => new Reader(bytes(new Uint8Array(9).fill(0xff), 0x02)).int(), malformed);
    assert.throws(() => new Reader(new Uint8Array(11).fill(0x80)).int(), malformed);
    for (let length = 0; length < 10; length++) {
      assert.throws(() => new Reader(ones.subarray(0, length)).int(), malformed, `${length} bytes`);
    }
  });

  it("are cut to 32 bits as enums, and are true unless zero as bools", () => {
    const high = bytes(0x80, 0x80, 0x80, 0x80, 0x10);
    assert.equal(new Reader(high).enum(), 0);
    assert.equal(new Reader(high).bool(), true);
    assert.equal(new Reader(bytes(0x80, 0x00)).bool(), false);
    assert.equal(new Reader(bytes(0xff, 0xff, 0xff, 0xff, 0x0f)).enum(), -1);
  });
});

describe("fields", () => {
  it("count as they come last", () => {
    const put = decodePutRequest(bytes(0x0a, 1, 65, 0x18, 7, 0x0a, 1, 66, 0x18, 0, 0x20, 1, 0x20, 0));
    assert.deepEqual([put.key, put.lease, put.prevKv], [bytes(66), 0n, false]);
  });

  it("may have tags longer than they need be", () => {
    assert.deepEqual(decodePutRequest(bytes(0x8a, 0x80, 0x00, 1, 65)).key, bytes(65));
  });

  it("with numbers that do not exist are malformed", () => {
    assert.throws(() => decodePutRequest(bytes(0x02, 0)), malformed);
    assert.throws(() => decodePutRequest(bytes(0x82, 0x00, 0)), malformed);
    // 2^29 is one too many.
    assert.throws(() => decodePutRequest(bytes(0x80, 0x80, 0x80, 0x80, 0x10, 0)), malformed);
    assert.deepEqual(decodePutRequest(bytes(0xf8, 0xff, 0xff, 0xff, 0x0f, 0)).key.length, 0);
  });

  it("that are unknown are skipped, whatever they are", () => {
    const unknown = bytes(
      [0x80, 0x08, 0x96, 0x01], // varint
      [0x81, 0x08, 1, 2, 3, 4, 5, 6, 7, 8],
      [0x82, 0x08, 2, 1, 1],
      [0x85, 0x08, 1, 2, 3, 4],
      [0x83, 0x08, 0x08, 1, 0x13, 0x1a, 1, 0, 0x14, 0x84, 0x08], // a group in a group
    );
    assert.deepEqual(decodePutRequest(bytes(unknown, 0x0a, 1, 65, unknown)).key, bytes(65));
    for (const cut of [3, 5, 13, 17, 18, 22, 24, 26, 30, 34]) {
      assert.throws(() => decodePutRequest(unknown.subarray(0, cut)), malformed, `cut at ${cut}`);
    }
  });

  it("with another wire type are unknown", () => {
    assert.deepEqual(decodePutRequest(bytes(0x08, 5, 0x1a, 1, 9, 0x19, 1, 2, 3, 4, 5, 6, 7, 8)), {
      ...decodePutRequest(bytes()),
    });
    assert.throws(() => decodePutRequest(bytes(0x0e, 0)), malformed);
    assert.throws(() => decodePutRequest(bytes(0x0f, 0)), malformed);
  });

  it("end where their message ends", () => {
    assert.throws(() => decodePutRequest(bytes(0x0a, 2, 65)), malformed);
    assert.throws(() => decodePutRequest(bytes(0x0a, [0xff, 0xff, 0xff, 0xff, 0x0f], 65)), malformed);
    assert.throws(
      () => decodePutRequest(bytes(0x0a, new Uint8Array(9).fill(0xff), 0x01, 65)),
      malformed,
      "a length of 2^64 - 1",
    );
    // The key would reach beyond its PutRequest, into the rest of the log entry.
    assert.throws(() => decodeRaftRequest(bytes(0x22, 2, 0x0a, 1, 65, 66)), malformed);
    assert.throws(() => decodeRaftRequest(bytes(0x22, 1, 0x18, 1)), malformed, "a varint cut by its message");
  });

  it("must open and close groups in order", () => {
    assert.throws(() => decodePutRequest(bytes(0x84, 0x08)), malformed, "an end without a beginning");
    assert.throws(() => decodePutRequest(bytes(0x83, 0x08, 0x14)), malformed, "the end of another");
    assert.throws(() => decodePutRequest(bytes(0x83, 0x08)), malformed);
    assert.throws(() => decodePutRequest(new Uint8Array(50_000).fill(0x3b)), malformed, "too deep");
  });
});

describe("messages inside messages", () => {
  it("are merged when they come twice", () => {
    const twice = bytes(field(0x1a, bytes(0x0a, 1, 65)), field(0x1a, bytes(0x18, 5)));
    const range = { ...decodeRangeRequest(bytes(0x0a, 1, 65)), limit: 5 };
    assert.deepEqual(decodeRaftRequest(twice).body, { kind: "range", range });

    const op = bytes(field(0x12, bytes(0x0a, 1, 65)), field(0x12, bytes(0x12, 1, 66)));
    const txn = decodeTxnRequest(field(0x12, op));
    assert.deepEqual(txn.success, [{ kind: "put", put: decodePutRequest(bytes(0x0a, 1, 65, 0x12, 1, 66)) }]);

    const watch = bytes(field(0x0a, bytes(0x28, 1)), field(0x0a, bytes(0x2a, 2, 0, 1, 0x40, 1)));
    const request = decodeWatchRequest(watch);
    assert.ok(request.kind === "create");
    assert.deepEqual([request.create.filters, request.create.fragment], [[1, 0, 1], true]);

    const other = bytes([0xc2, 0x3e, 1, 7], [0xc2, 0x3e, 1, 8]);
    assert.deepEqual(decodeRaftRequest(other).body, { kind: "other", field: 1000, bytes: bytes(7, 8) });
  });

  it("replace another member of a oneof", () => {
    const op = bytes(field(0x12, bytes(0x0a, 1, 65)), field(0x1a, bytes()), field(0x12, bytes()));
    assert.deepEqual(decodeTxnRequest(field(0x12, op)).success, [
      { kind: "put", put: decodePutRequest(bytes()) },
    ]);
    const watch = bytes(field(0x12, bytes(0x08, 5)), field(0x1a, bytes()), field(0x12, bytes()));
    assert.deepEqual(decodeWatchRequest(watch), { kind: "cancel", watchId: 0n });
    // An operand for another target than the one that is named counts as left out.
    const compare = decodeTxnRequest(field(0x0a, bytes(0x10, 3, 0x3a, 1, 65, 0x20, 9))).compare;
    assert.equal(compare[0]?.operand, undefined);
  });

  it("nest only so deep", () => {
    const nested = (levels: number): Uint8Array => {
      let txn: Uint8Array = bytes();
      for (let i = 0; i < levels; i++) txn = field(0x12, field(0x22, txn));
      return txn;
    };
    let txn = decodeTxnRequest(nested(messageDepthLimit / 2));
    let depth = 0;
    for (let op = txn.success[0]; op?.kind === "txn"; op = txn.success[0]) {
      txn = op.txn;
      depth++;
    }
    assert.equal(depth, messageDepthLimit / 2);
    assert.throws(() => decodeTxnRequest(nested(messageDepthLimit / 2 + 1)), {
      message: "proto: exceeded maximum recursion depth",
    });
    assert.throws(() => decodeTxnRequest(nested(5000)), DecodeError);
    // What is taken at the door can be read in the log, where it lies one deeper: no member may fail over an entry.
    const header = { id: 1n, username: "", authRevision: 0 };
    const logged = encodeRaftRequest(header, raftField.txn, nested(messageDepthLimit / 2));
    assert.equal(decodeRaftRequest(logged).body.kind, "txn");
  });
});

describe("text", () => {
  const samples = [
    "",
    "root",
    "käse",
    "数据库",
    "😀",
    "\u0000\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10ffff}",
  ];

  it("is UTF-8", () => {
    for (const text of samples) {
      const utf8 = new TextEncoder().encode(text);
      assert.deepEqual(encodeUtf8(text), utf8);
      assert.equal(new Reader(field(0x0a, utf8).subarray(1)).string(), text);
    }
    assert.deepEqual(encodeUtf8("a\ud800b"), new TextEncoder().encode("a\ufffdb"));
    assert.deepEqual(encodeUtf8("a\udc00"), new TextEncoder().encode("a\ufffd"));
  });

  it("is refused when it is not", () => {
    const wrong = [[0x80], [0xc2], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x80, 0x80], [0xe2, 0x82]];
    const more = [
      [0xed, 0xa0, 0x80],
      [0xf0, 0x80, 0x80, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
    ];
    for (const text of [...wrong, ...more, [0xff], [0xc3, 0x28], [0x41, 0xc3]]) {
      const request = field(0x12, bytes(text));
      const entry = bytes([0xa2, 0x06, request.length], request);
      assert.throws(() => decodeRaftRequest(entry), {
        name: "DecodeError",
        message: "string field contains invalid UTF-8",
      });
    }
  });
});

it("a writer that disagrees with its size is found out", () => {
  assert.throws(() => sealed(new Uint8Array(3), 2), /wrote 2 bytes of 3/);
  assert.throws(() => sealed(new Uint8Array(3), 4), /wrote 4 bytes of 3/);
});

it("bytes are views and not copies", () => {
  const request = bytes(0x0a, 1, 65);
  assert.equal(decodePutRequest(request).key.buffer, request.buffer);
  assert.equal(decodeLeaseId(bytes(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)), -1n);
});

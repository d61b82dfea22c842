import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HeadMemo } from "./head-memo.ts";
import { StreamError } from "./protocol.ts";

const base = [":method", "POST", ":scheme", "http", ":path", "/a", "te", "trailers", "grpc-timeout"];

describe("HeadMemo", () => {
  it("knows a list again that differs in its timeout only", () => {
    const memo = new HeadMemo();
    const first = memo.read(1, [...base, "1S"]);
    assert.equal(first.basis, undefined);
    const second = memo.read(3, [...base, "999m"]);
    assert.equal(second.basis, first);
    assert.equal(second.path, "/a");
    assert.deepEqual(second.fields, ["te", "trailers", "grpc-timeout", "999m"]);
    assert.equal(memo.read(5, [...base, "998m"]).basis, first, "not the one before");
  });

  it("does not know any other", () => {
    const memo = new HeadMemo();
    memo.read(1, [...base, "1S"]);
    const others = [
      [...base, "1S", "x", "y"],
      [":method", "POST", ":scheme", "http", ":path", "/b", "te", "trailers", "grpc-timeout", "1S"],
      [":method", "POST", ":scheme", "http", ":path", "/a", "t", "trailers", "grpc-timeout", "1S"],
      base.slice(0, 8),
    ];
    for (const list of others) assert.equal(memo.read(3, list).basis, undefined);
  });

  it("does not let a malformed list through", () => {
    const memo = new HeadMemo();
    memo.read(1, [...base, "1S"]);
    assert.throws(() => memo.read(3, [...base, "1\nS"]), StreamError);
    assert.throws(() => memo.read(5, [...base.slice(0, 7), "gzip", "grpc-timeout", "1S"]), StreamError);
  });
});

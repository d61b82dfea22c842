import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorCode, StreamError } from "./protocol.ts";
import { checkTrailers, parseRequestHead } from "./request-head.ts";

const good = [":method", "POST", ":scheme", "http", ":path", "/a", ":authority", "host"];

describe("parseRequestHead", () => {
  it("reads pseudo-headers, content-type and content-length", () => {
    const head = parseRequestHead(1, [
      ...good,
      "content-type",
      "text/plain",
      "content-length",
      "12",
      "x",
      "y",
    ]);
    const { method, scheme, path, authority, contentType, contentLength } = head;
    assert.deepEqual(
      { method, scheme, path, authority, contentType, contentLength },
      {
        ...{ method: "POST", scheme: "http", path: "/a", authority: "host" },
        ...{ contentType: "text/plain", contentLength: 12 },
      },
    );
    assert.deepEqual(head.fields.slice(4), ["x", "y"]);
  });

  it("does without an authority and a content-length", () => {
    const head = parseRequestHead(1, good.slice(0, 6));
    assert.equal(head.authority, undefined);
    assert.equal(head.contentLength, -1);
  });

  for (const [what, fields] of [
    ["no method", good.slice(2)],
    ["no scheme", [...good.slice(0, 2), ...good.slice(4)]],
    ["no path", good.slice(0, 4)],
    ["an empty path", [...good.slice(0, 4), ":path", ""]],
    ["a pseudo-header twice", [...good, ":path", "/b"]],
    ["an unknown pseudo-header", [...good, ":what", "x"]],
    ["a pseudo-header of responses", [...good, ":status", "200"]],
    ["a pseudo-header after a field", [...good.slice(0, 6), "a", "b", ":authority", "host"]],
    ["upper case", [...good, "X-A", "b"]],
    ["a space in a name", [...good, "x a", "b"]],
    ["an empty name", [...good, "", "b"]],
    ["a NUL in a value", [...good, "a", "b\0"]],
    ["a line feed in a value", [...good, "a", "b\nc: d"]],
    ["a carriage return in a pseudo-header", [...good.slice(0, 4), ":path", "/\r"]],
    ["connection", [...good, "connection", "close"]],
    ["keep-alive", [...good, "keep-alive", "1"]],
    ["proxy-connection", [...good, "proxy-connection", "x"]],
    ["transfer-encoding", [...good, "transfer-encoding", "chunked"]],
    ["upgrade", [...good, "upgrade", "h2c"]],
    ["te other than trailers", [...good, "te", "gzip"]],
    ["a content-length that is no number", [...good, "content-length", "-1"]],
    ["two different content-lengths", [...good, "content-length", "1", "content-length", "2"]],
    ["CONNECT", [":method", "CONNECT", ":authority", "host:1"]],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => parseRequestHead(7, fields),
        (cause) =>
          cause instanceof StreamError && cause.code === ErrorCode.protocolError && cause.streamId === 7,
      );
    });
  }

  it("accepts te: trailers, and white space around values as Go does", () => {
    parseRequestHead(1, [...good, "te", "trailers", "a", " b "]);
  });
});

describe("checkTrailers", () => {
  it("refuses pseudo-headers", () => {
    checkTrailers(1, ["a", "b"]);
    assert.throws(() => checkTrailers(1, [":status", "200"]), StreamError);
  });
});

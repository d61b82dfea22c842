import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { Prng } from "../../../lib/prng.ts";
import { HttpError, type HttpHeaders, parseRequestHead, parseResponseHead } from "./head.ts";
import { defaultHttp1Limits } from "./limits.ts";
import { HttpParser } from "./parser.ts";

interface Seen {
  readonly heads: { start: string; headers: Record<string, string> }[];
  readonly bodies: string[];
  readonly trailers: Record<string, string>[];
  ended: number;
}

function requestParser(onHead?: (parser: HttpParser<ReturnType<typeof parseRequestHead>>) => void) {
  const seen: Seen = { heads: [], bodies: [], trailers: [], ended: 0 };
  const parser: HttpParser<ReturnType<typeof parseRequestHead>> = new HttpParser(
    parseRequestHead,
    defaultHttp1Limits,
    {
      onHead: (head) => {
        seen.heads.push({ start: `${head.method} ${head.path}`, headers: Object.fromEntries(head.headers) });
        seen.bodies.push("");
        onHead?.(parser);
      },
      onBody: (bytes) => {
        seen.bodies[seen.bodies.length - 1] += Buffer.from(bytes).toString("latin1");
      },
      onEnd: (trailers: HttpHeaders) => {
        seen.ended++;
        seen.trailers.push(Object.fromEntries(trailers));
      },
    },
  );
  return { parser, seen };
}

function parseRequests(text: string, cuts: readonly number[] = []): Seen {
  const { parser, seen } = requestParser();
  const bytes = Buffer.from(text, "latin1");
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    parser.push(bytes.subarray(from, cut));
    from = cut;
  }
  parser.end();
  return seen;
}

const stream =
  "GET /raft/stream/message/1f?x=1 HTTP/1.1\r\nHost: a:1\r\nX-Raft-To:  2 \r\n\r\n" +
  "POST /raft HTTP/1.1\r\nHost: a:1\r\nContent-Length: 5\r\n\r\nhello" +
  "POST /raft/snapshot HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n\r\n" +
  "3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\nX-Sum: ff\r\n\r\n" +
  "POST /raft HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
  "POST /raft HTTP/1.1\r\nHost: a:1\r\nContent-Length: 0\r\n\r\n";

describe("HTTP/1.1 parser", () => {
  it("reads heads, bodies of both kinds and trailers", () => {
    const seen = parseRequests(stream);
    assert.deepEqual(
      seen.heads.map(({ start }) => start),
      ["GET /raft/stream/message/1f", "POST /raft", "POST /raft/snapshot", "POST /raft", "POST /raft"],
    );
    assert.deepEqual(seen.heads[0]!.headers, { host: "a:1", "x-raft-to": "2" });
    assert.deepEqual(seen.bodies, ["", "hello", "abc0123456789", "", ""]);
    assert.deepEqual(seen.trailers, [{}, {}, { "x-sum": "ff" }, {}, {}]);
    assert.equal(seen.ended, 5);
  });

  it("does not care how the bytes are cut", () => {
    const whole = parseRequests(stream);
    const octets = Array.from({ length: stream.length }, (_, i) => i);
    assert.deepEqual(parseRequests(stream, octets), whole);
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Prng(seed);
      const cuts = octets.filter(() => random.chance(0.08));
      assert.deepEqual(parseRequests(stream, cuts), whole, `seed ${seed}`);
    }
  });

  it("keeps what comes while it is stopped", () => {
    const { parser, seen } = requestParser((self) => self.stop());
    parser.push(Buffer.from(stream.slice(0, 120), "latin1"));
    parser.push(Buffer.from(stream.slice(120), "latin1"));
    assert.equal(seen.heads.length, 1);
    for (let heads = 1; heads < 5; heads++) {
      assert.equal(seen.heads.length, heads);
      parser.resume();
    }
    parser.resume();
    assert.deepEqual(seen.bodies, ["", "hello", "abc0123456789", "", ""]);
    assert.ok(parser.isIdle);
  });

  const bad: readonly (readonly [string, string])[] = [
    ["a method in small letters", "get / HTTP/1.1\r\n\r\n"],
    ["another version", "GET / HTTP/2.0\r\n\r\n"],
    ["a space in the target", "GET /a b HTTP/1.1\r\n\r\n"],
    ["a folded header", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"],
    ["a header without a name", "GET / HTTP/1.1\r\n: b\r\n\r\n"],
    ["a space before the colon", "GET / HTTP/1.1\r\nA : b\r\n\r\n"],
    ["a lone line feed in a head", "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n"],
    ["two lengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"],
    ["a length and chunks", "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["a negative length", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"],
    ["a huge length", "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"],
    ["another coding", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"],
    ["a chunk size that is none", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"],
    ["a huge chunk size", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"],
    ["a chunk without its end", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"],
    ["a chunk line without end", `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;${"x".repeat(300)}`],
    ["a head without end", `GET / HTTP/1.1\r\nA: ${"x".repeat(20_000)}`],
    ["too many headers", `GET / HTTP/1.1\r\n${"A: b\r\n".repeat(101)}\r\n`],
    ["an end within a head", "GET / HTTP/1.1\r\nA:"],
    ["an end within a body", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc"],
    ["an end before the last chunk", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    ["an end within trailers", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n"],
  ];
  for (const [name, text] of bad) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parseRequests(text), HttpError);
      const octets = Array.from({ length: text.length }, (_, i) => i);
      assert.throws(() => parseRequests(text, octets), HttpError);
    });
  }

  it("survives random bytes in place of its own", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const random = new Prng(seed);
      const bytes = Buffer.from(stream, "latin1");
      for (let i = random.below(4); i >= 0; i--) bytes[random.below(bytes.length)] = random.below(256);
      try {
        parseRequests(bytes.toString("latin1"));
      } catch (error) {
        assert.ok(error instanceof HttpError, `seed ${seed}: ${error}`);
      }
    }
  });

  it("reads a response that lasts until the connection ends", () => {
    const bodies: string[] = [];
    let ended = false;
    const parser = new HttpParser(parseResponseHead, defaultHttp1Limits, {
      onHead: (head) => assert.equal(head.status, 200),
      onBody: (bytes) => bodies.push(Buffer.from(bytes).toString()),
      onEnd: () => {
        ended = true;
      },
    });
    parser.push(Buffer.from("HTTP/1.1 200 OK\r\nA: b\r\n\r\nabc"));
    parser.push(Buffer.from("def"));
    assert.equal(ended, false);
    parser.end();
    assert.deepEqual([bodies.join(""), ended], ["abcdef", true]);
  });

  it("knows responses that have no body whatever they say", () => {
    const heads: number[] = [];
    let ends = 0;
    const parser = new HttpParser(parseResponseHead, defaultHttp1Limits, {
      onHead: (head) => heads.push(head.status),
      onBody: () => assert.fail("no body"),
      onEnd: () => {
        ends++;
      },
    });
    parser.push(Buffer.from("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nHTTP/1.1 304 \r\n\r\n"));
    assert.deepEqual([heads, ends], [[204, 304], 2]);
  });
});

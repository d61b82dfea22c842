import assert from "node:assert/strict";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { describe, it } from "node:test";
import type { FetchHandler } from "../grpc.ts";
import { RawClient, requestFields } from "../testing/raw-client.ts";
import { TestServer } from "../testing/test-server.ts";
import { waitFor } from "../testing/wait-for.ts";

interface Got {
  readonly status: number | undefined;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer | undefined;
}

/** One request over HTTP/1.1. */
function http1(port: number, asked: Asked = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { method = "GET", path = "/", headers = {}, body } = asked;
    const options = { port, host: "127.0.0.1", method, path, headers };
    const request = httpRequest(options, (response: IncomingMessage) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(pieces).toString();
        resolve({ status: response.statusCode, headers: response.headers, body: text });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** One request over HTTP/2. */
async function http2(port: number, asked: Asked = {}): Promise<Got> {
  const { method = "GET", path = "/", headers = {}, body } = asked;
  const client = await RawClient.open(port);
  client.windowUpdate(0, 2 ** 30);
  client.settings([[4, 2 ** 30]]);
  client.headers(1, [...requestFields(method, path), ...Object.entries(headers)], body === undefined);
  if (body !== undefined) {
    const bytes = Buffer.from(body);
    for (let at = 0; at < bytes.length; at += 16_384) {
      client.data(1, bytes.subarray(at, at + 16_384), at + 16_384 >= bytes.length);
    }
  }
  const answer = await client.answer(1);
  client.destroy();
  return { status: Number(answer.status), headers: answer.headers, body: answer.body.toString() };
}

const handler: FetchHandler = async (request, peer) => {
  const url = new URL(request.url);
  switch (url.pathname) {
    case "/echo":
      return new Response(await request.text(), { status: 201, headers: { "x-method": request.method } });
    case "/headers":
      return Response.json({ ...Object.fromEntries(request.headers), url: request.url, peer: peer.secure });
    case "/stream":
      return new Response(
        new ReadableStream<Uint8Array>({
          async start(controller) {
            for (let index = 0; index < 20; index++) {
              controller.enqueue(Buffer.from(`piece ${index}\n`));
              await new Promise((resolve) => setImmediate(resolve));
            }
            controller.close();
          },
        }),
      );
    case "/large":
      return new Response(Buffer.alloc(5_000_000, "large"));
    case "/empty":
      return new Response(null, { status: 204 });
    case "/throw":
      throw new Error("a bug");
    case "/broken":
      return new Response(
        new ReadableStream<Uint8Array>({
          start(controller) {
            controller.enqueue(Buffer.from("begun"));
          },
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 10));
            controller.error(new Error("broke"));
          },
        }),
      );
    case "/cookies": {
      const headers = new Headers();
      headers.append("set-cookie", "a=1");
      headers.append("set-cookie", "b=2");
      return new Response("ok", { headers });
    }
    default:
      return new Response("hello\n");
  }
};

for (const [version, ask] of [
  ["HTTP/1.1", http1],
  ["HTTP/2", http2],
] as const) {
  describe(`fetch over ${version}`, () => {
    function withServer(
      run: (port: number, server: TestServer) => Promise<void>,
      options = {},
    ): () => Promise<void> {
      return async () => {
        const server = await TestServer.start({ fetch: handler, ...options });
        try {
          await run(server.port, server);
        } finally {
          await server.stop();
        }
      };
    }

    it(
      "answers GET",
      withServer(async (port) => {
        const got = await ask(port);
        assert.deepEqual([got.status, got.body], [200, "hello\n"]);
      }),
    );

    it(
      "answers HEAD without a body",
      withServer(async (port) => {
        const got = await ask(port, { method: "HEAD" });
        assert.deepEqual([got.status, got.body], [200, ""]);
      }),
    );

    it(
      "hands over method, path, query and headers",
      withServer(async (port) => {
        const got = await ask(port, {
          path: "/headers?q=1",
          headers: { "x-a": "b", "content-type": "application/json" },
        });
        const seen = JSON.parse(got.body);
        assert.equal(seen["x-a"], "b");
        assert.equal(seen["content-type"], "application/json");
        assert.match(seen.url, /^http:\/\/(127\.0\.0\.1:\d+|localhost)\/headers\?q=1$/);
        assert.equal(seen.peer, false);
      }),
    );

    it(
      "takes a body",
      withServer(async (port) => {
        const got = await ask(port, { method: "POST", path: "/echo", body: '{"key":"Zm9v"}' });
        assert.deepEqual([got.status, got.body, got.headers["x-method"]], [201, '{"key":"Zm9v"}', "POST"]);
      }),
    );

    it(
      "takes a large body, and gives a large one",
      withServer(async (port) => {
        const body = Buffer.alloc(900_000, "body");
        const echoed = await ask(port, { method: "PUT", path: "/echo", body });
        assert.equal(echoed.body.length, body.length);
        assert.ok(echoed.body === body.toString());
        assert.equal((await ask(port, { path: "/large" })).body.length, 5_000_000);
      }),
    );

    it(
      "streams an answer",
      withServer(async (port) => {
        const expected = Array.from({ length: 20 }, (_, index) => `piece ${index}\n`).join("");
        assert.equal((await ask(port, { path: "/stream" })).body, expected);
      }),
    );

    it(
      "answers 204 without a body, and keeps cookies apart",
      withServer(async (port) => {
        const got = await ask(port, { path: "/empty" });
        assert.deepEqual([got.status, got.body], [204, ""]);
        const { headers } = await ask(port, { path: "/cookies" });
        assert.ok(String(headers["set-cookie"]).includes("b=2"));
      }),
    );

    it(
      "answers 500 when the handler throws",
      withServer(async (port, server) => {
        assert.equal((await ask(port, { path: "/throw" })).status, 500);
        assert.equal(server.faults.length, 1);
        assert.equal((await ask(port)).status, 200);
      }),
    );

    it(
      "refuses a body larger than allowed that says so",
      withServer(
        async (port) => {
          const headers = { "content-length": "1001" };
          const got = await ask(port, { method: "POST", path: "/echo", headers, body: Buffer.alloc(1001) });
          assert.equal(got.status, 413);
        },
        { fetchLimits: { maxBodyBytes: 1000 } },
      ),
    );
  });
}

describe("fetch over HTTP/2", () => {
  it("resets a body larger than allowed that did not say so", async () => {
    const server = await TestServer.start({ fetch: handler, fetchLimits: { maxBodyBytes: 1000 } });
    const client = await RawClient.open(server.port);
    client.headers(1, requestFields("POST", "/echo"), false);
    client.data(1, Buffer.alloc(1001), false);
    assert.equal(await client.resetCode(1), 11);
    client.destroy();
    await server.stop();
  });

  it("aborts the request when the client goes away", async () => {
    const signals: AbortSignal[] = [];
    const server = await TestServer.start({
      fetch: (request) => {
        signals.push(request.signal);
        return new Promise(() => {});
      },
    });
    const client = await RawClient.open(server.port);
    client.headers(1, requestFields("GET", "/"), true);
    client.headers(3, requestFields("GET", "/"), true);
    await waitFor("the requests", () => signals.length === 2);
    client.reset(1);
    await waitFor("the first abort", () => signals[0]!.aborted);
    assert.equal(signals[1]!.aborted, false);
    client.destroy();
    await waitFor("the second abort", () => signals[1]!.aborted);
    await server.stop();
  });

  it("makes a client wait whose body nobody reads", async () => {
    let read: (() => void) | undefined;
    const server = await TestServer.start({
      connectionLimits: { streamWindowBytes: 65_535 },
      fetch: async (request) => {
        await new Promise<void>((resolve) => {
          read = resolve;
        });
        return new Response(`${(await request.arrayBuffer()).byteLength}`);
      },
    });
    const client = await RawClient.open(server.port);
    client.headers(1, requestFields("POST", "/"), false);
    for (let count = 0; count < 6; count++) client.data(1, Buffer.alloc(10_000), false);
    await waitFor("the request", () => read !== undefined);
    await client.sync();
    assert.equal(
      client.frames.some(({ type, streamId }) => type === 8 && streamId === 1),
      false,
    );
    read!();
    await client.frameOf(8, 1);
    client.data(1, Buffer.alloc(5), true);
    assert.equal((await client.answer(1)).body.toString(), "60005");
    client.destroy();
    await server.stop();
  });

  it("lets go of a body that nobody read when the answer is out", async () => {
    const server = await TestServer.start({
      fetch: () => new Response("no, thanks"),
      connectionLimits: { maxBufferedRequestBytes: 200_000 },
    });
    const client = await RawClient.open(server.port);
    for (let id = 1; id < 41; id += 2) {
      client.headers(id, requestFields("POST", "/"), false);
      client.data(id, Buffer.alloc(10_000), false);
      client.data(id, Buffer.alloc(10_000), true);
      assert.equal((await client.answer(id)).status, "200");
    }
    client.destroy();
    await server.stop();
  });

  it("puts cookies together that came in pieces", async () => {
    const server = await TestServer.start({
      fetch: (request) => new Response(request.headers.get("cookie")),
    });
    const client = await RawClient.open(server.port);
    client.headers(1, [...requestFields("GET", "/"), ["cookie", "a=1"], ["cookie", "b=2"]], true);
    assert.equal((await client.answer(1)).body.toString(), "a=1; b=2");
    client.destroy();
    await server.stop();
  });

  it("resets an answer that breaks off", async () => {
    const server = await TestServer.start({ fetch: handler });
    const client = await RawClient.open(server.port);
    client.headers(1, requestFields("GET", "/broken"), true);
    assert.equal(await client.resetCode(1), 2);
    assert.equal(client.bodyOf(1).toString(), "begun");
    assert.equal(server.faults.length, 1);
    client.destroy();
    await server.stop();
  });

  it("answers 400 to what makes no URL", async () => {
    const server = await TestServer.start({ fetch: handler });
    const client = await RawClient.open(server.port);
    client.headers(
      1,
      [
        [":method", "GET"],
        [":scheme", "http"],
        [":path", "/"],
        [":authority", "a b c"],
      ],
      true,
    );
    assert.equal((await client.answer(1)).status, "400");
    client.destroy();
    await server.stop();
  });
});

describe("fetch over HTTP/1.1", () => {
  it("sends a text that was there as a whole in one piece", async () => {
    const server = await TestServer.start({ fetch: handler });
    const socket = connect(server.port, "127.0.0.1");
    try {
      for (let count = 0; count < 20; count++) {
        const first = new Promise<string>((resolve) => socket.once("data", (piece) => resolve(`${piece}`)));
        socket.write("GET /headers HTTP/1.1\r\nHost: a\r\n\r\n");
        assert.match(await first, /^HTTP\/1\.1 200 OK\r\n[^{]*\r\n\{.*\}\r\n0\r\n\r\n$/s);
      }
    } finally {
      socket.destroy();
      await server.stop();
    }
  });

  it("keeps the connection", async () => {
    const server = await TestServer.start({ fetch: handler });
    const socket = connect(server.port, "127.0.0.1");
    let seen = "";
    socket.on("data", (piece) => {
      seen += piece;
    });
    for (let count = 0; count < 5; count++) {
      seen = "";
      socket.write(`POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n${count}`);
      await waitFor(
        "the answer",
        () => seen.includes("\r\n\r\n") && seen.includes(`${count}`, seen.indexOf("\r\n\r\n")),
      );
      assert.match(seen, /^HTTP\/1\.1 201/);
    }
    assert.equal(server.server.counters.connectionsAccepted, 1);
    assert.equal(server.server.counters.openHttp1Connections, 1);
    socket.destroy();
    await waitFor("the connection to be gone", () => server.server.counters.openHttp1Connections === 0);
    await server.stop();
  });

  it("cuts a body larger than allowed that did not say so", async () => {
    const server = await TestServer.start({ fetch: handler, fetchLimits: { maxBodyBytes: 1000 } });
    const headers = { "transfer-encoding": "chunked" };
    await assert.rejects(
      http1(server.port, { method: "POST", path: "/echo", headers, body: Buffer.alloc(100_000) }),
    );
    await server.stop();
  });

  it("lets a stream that is answered already go on for ever", async () => {
    const server = await TestServer.start({
      fetch: (request) => new Response(request.body),
      fetchLimits: { maxBodyBytes: 1000 },
    });
    const socket = connect(server.port, "127.0.0.1");
    let received = 0;
    socket.on("data", (chunk) => {
      received += chunk.length;
    });
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let sent = 0; sent < 5_000; sent += 500) {
      socket.write(`1f4\r\n${"x".repeat(500)}\r\n`);
      await waitFor("the echo", () => received > sent);
    }
    socket.destroy();
    await server.stop();
  });

  it("takes heads of some size, and says what is wrong with others", async () => {
    const server = await TestServer.start();
    const statusOf = async (text: string) => {
      const socket = connect(server.port, "127.0.0.1");
      socket.write(text);
      const head = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
      socket.destroy();
      return head.toString().slice(9, 12);
    };
    const get = (field: string) => `GET / HTTP/1.1\r\n${field}\r\n\r\n`;
    assert.equal(await statusOf(get(`Host: a\r\nCookie: ${"x".repeat(40_000)}`)), "200");
    assert.equal(await statusOf(get(`Host: a\r\nCookie: ${"x".repeat(90_000)}`)), "431");
    assert.equal(await statusOf(get("Accept: all")), "400");
    assert.equal(await statusOf(get("Host: a\r\nno colon")), "400");
    await server.stop();
  });

  it("aborts the request when the client goes away", async () => {
    const signals: AbortSignal[] = [];
    const server = await TestServer.start({
      fetch: (request) => {
        signals.push(request.signal);
        return new Promise(() => {});
      },
    });
    const socket = connect(server.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await waitFor("the request", () => signals.length === 1);
    assert.equal(signals[0]!.aborted, false);
    socket.destroy();
    await waitFor("the abort", () => signals[0]!.aborted);
    await server.stop();
  });

  it("closes without a word what is no HTTP", async () => {
    const server = await TestServer.start();
    const client = await RawClient.plain(server.port);
    client.send("HELO localhost\r\n\r\n");
    await client.closed();
    assert.equal(client.frames.length, 0);
    await server.stop();
  });

  it("closes a request line without end", async () => {
    const server = await TestServer.start();
    const client = await RawClient.plain(server.port);
    client.send(`GET /${"a".repeat(9_000)}`);
    await client.closed();
    await server.stop();
  });

  it("does not wait for ever for a head, nor for the next request", async () => {
    const server = await TestServer.start({ fetchLimits: { headTimeoutMs: 50, idleTimeoutMs: 50 } });
    const slow = connect(server.port, "127.0.0.1");
    slow.write("GET / HTTP/1.1\r\nHost:");
    await new Promise((resolve) => slow.on("close", resolve));
    const idle = connect(server.port, "127.0.0.1");
    idle.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const text = await new Promise<string>((resolve) => {
      let seen = "";
      idle.on("data", (piece) => {
        seen += piece;
      });
      idle.on("close", () => resolve(seen));
    });
    assert.match(text, /^HTTP\/1\.1 200/);
    await server.stop();
  });
});

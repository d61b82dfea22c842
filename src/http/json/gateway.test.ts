import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import type { GrpcCall, GrpcHandler } from "../../transport/grpc.ts";
import { maxReceiveBytes, startTestApp, type TestApp } from "../testing/test-app.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

let app: TestApp;
/** What the producer of the endless stream was told, and how much it has made. */
const endless = { writtenBytes: 0, cancelled: Promise.withResolvers<void>() };
/** Streams as long as somebody reads: in the place of Snapshot. */
const endlessHandler: GrpcHandler = {
  kind: "single",
  onRequest(call: GrpcCall) {
    // SnapshotResponse with 64 KiB of blob.
    const message = Buffer.concat([Buffer.from([0x1a, 0x80, 0x80, 0x04]), Buffer.alloc(65536, 7)]);
    const produce = () => {
      do endless.writtenBytes += message.length;
      while (!call.cancelled && call.write(message));
    };
    call.onDrain(produce);
    call.onCancel(() => endless.cancelled.resolve());
    produce();
  },
};
before(async () => {
  app = await startTestApp({
    wrapRoutes: (routes) => new Map([...routes, ["/etcdserverpb.Maintenance/Snapshot", endlessHandler]]),
  });
});
after(() => app.stop());

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(app.url + path, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
const ask = async (path: string, body: unknown, headers?: Record<string, string>) => {
  const response = await post(path, body, headers);
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
};

/** The lines of a streaming answer. */
async function* linesOf(response: Response): AsyncGenerator<Record<string, unknown>> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
  assert.equal(rest, "");
}

describe("JSON gateway", () => {
  it("puts and gets, in either style of names", async () => {
    const put = await ask("/v3/kv/put", { key: base64("a"), value: base64("1") });
    assert.equal(put.status, 200);
    for (const name of ["range_end", "rangeEnd"]) {
      const { json } = await ask("/v3/kv/range", { key: base64("a"), [name]: base64("b") });
      const { kvs, count } = json as { kvs: { key: string; mod_revision: string }[]; count: string };
      assert.equal(count, "1");
      assert.equal(kvs[0]!.key, base64("a"));
      assert.match(kvs[0]!.mod_revision, /^\d+$/);
    }
  });

  it("answers small with a length, and with grpc-gateway's fields", async () => {
    const response = await post("/v3/kv/range", { key: base64("a") });
    const text = await response.text();
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(response.headers.get("grpc-metadata-content-type"), "application/grpc");
    assert.equal(response.headers.get("content-length"), String(text.length));
  });

  it("sends who has a slash too many to the right path, and reads escapes", async () => {
    // Clients tidy URLs up by themselves.
    const ask = async (path: string): Promise<{ status: string; location: string | undefined }> => {
      const { hostname, port } = new URL(app.url);
      const socket = connect(Number(port), hostname);
      const body = '{"key":"YQ=="}';
      socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      const text = String(await new Promise<Buffer>((resolve) => socket.once("data", resolve)));
      socket.destroy();
      return { status: text.slice(9, 12), location: /^location: (.*)\r$/im.exec(text)?.[1] };
    };
    for (const path of ["//v3/kv/range?a=b", "/v3//kv/range?a=b"]) {
      assert.deepEqual(await ask(path), { status: "307", location: "/v3/kv/range?a=b" });
    }
    assert.deepEqual(await ask("/v3"), { status: "307", location: "/v3/" });
    assert.equal((await ask("/v3/kv/%72ange")).status, "200");
    assert.equal((await ask("/v3/kv/%zz")).status, "404");
  });

  it("says the length and the type of what is no stream", async () => {
    for (const [path, type] of [
      ["/health", "text/plain; charset=utf-8"],
      ["/livez", "text/plain; charset=utf-8"],
      ["/version", "application/json"],
      ["/nothing", "text/plain; charset=utf-8"],
    ] as const) {
      const response = await fetch(app.url + path);
      const text = await response.text();
      assert.equal(response.headers.get("content-type"), type, path);
      assert.equal(response.headers.get("content-length"), String(text.length), path);
    }
  });

  it("answers one line of a stream in one chunk", async () => {
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    const text = await new Promise<string>((resolve) => {
      let seen = "";
      socket.on("data", (chunk) => {
        seen += chunk;
        if (seen.endsWith("0\r\n\r\n")) resolve(seen);
      });
      const body = '{"ID":"404"}';
      socket.write(
        `POST /v3/lease/keepalive HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    socket.destroy();
    const chunks = text.slice(text.indexOf("\r\n\r\n") + 4);
    assert.match(chunks, /^[0-9a-f]+\r\n\{"result":.*\}\n\r\n0\r\n\r\n$/);
  });

  it("keeps all digits of a number", async () => {
    const id = "7587869134578126337";
    await ask("/v3/lease/grant", `{"TTL":60,"ID":${id}}`);
    const { json } = await ask("/v3/lease/timetolive", `{"ID":${id}}`);
    assert.equal(json["ID"], id);
    assert.equal(json["grantedTTL"], "60");
  });

  it("refuses with a status, a code and a text", async () => {
    assert.deepEqual(await ask("/v3/kv/range", '{"key":5}'), {
      status: 400,
      json: { code: 3, message: "proto: (line 1:8): invalid value for bytes field key: 5" },
    });
    assert.deepEqual(await ask("/v3/kv/nothing", {}), {
      status: 404,
      json: { code: 5, message: "Not Found" },
    });
    const get = await fetch(`${app.url}/v3/kv/range`);
    assert.equal(get.status, 501);
    await get.body?.cancel();
  });

  it("refuses what a client may not send, before it has all of it", async () => {
    const value = "A".repeat(3 * 1024 * 1024);
    const { status, json } = await ask("/v3/kv/put", { key: base64("b"), value });
    assert.equal(status, 429);
    assert.match(json["message"] as string, /^grpc: received message larger than max \(\d+ vs\. 2097152\)$/);
    const huge = await ask("/v3/kv/put", `{"key":"${"A".repeat(3 * maxReceiveBytes)}"}`);
    assert.equal(huge.status, 429);
  });

  it("gives up at the client's deadline", async () => {
    const late = await ask("/v3/kv/range", { key: base64("a") }, { "Grpc-Timeout": "1n" });
    assert.equal(late.status, 504);
    const nonsense = await ask("/v3/kv/range", { key: base64("a") }, { "Grpc-Timeout": "soon" });
    assert.deepEqual(nonsense.json, { code: 3, message: "invalid grpc-timeout: soon" });
  });

  it("says what is not served in gRPC's words", async () => {
    const bare = await startTestApp({ wrapRoutes: () => new Map() });
    const response = await fetch(`${bare.url}/v3/lock/lock`, { method: "POST", body: "{}" });
    assert.equal(response.status, 501);
    assert.deepEqual(await response.json(), { code: 12, message: "unknown service v3lockpb.Lock" });
    await bare.stop();
  });

  it("takes plain text for keys, and marks what is none", async () => {
    await ask("/v3/kv/put?keys=utf8", { key: "plain/é", value: "text" });
    await ask("/v3/kv/put?keys=utf8", { key: "plain/x", value: "base64:/wA=" });
    const { json } = await ask("/v3/kv/range?keys=utf8", { key: "plain/", range_end: "plain0" });
    const { kvs } = json as { kvs: { key: string; value: string }[] };
    assert.deepEqual(
      kvs.map(({ key, value }) => [key, value]),
      [
        ["plain/x", "base64:/wA="],
        ["plain/é", "text"],
      ],
    );
  });

  it("watches with several requests in one body, live", async () => {
    const create = { create_request: { key: base64("w") } };
    const body = `${JSON.stringify(create)} ${JSON.stringify(create)}`;
    const response = await post("/v3/watch", body);
    const lines = linesOf(response);
    for (const id of [undefined, "1"]) {
      const { result } = (await lines.next()).value as { result: { created: boolean; watch_id?: string } };
      assert.deepEqual([result.created, result.watch_id], [true, id]);
    }
    await ask("/v3/kv/put", { key: base64("w"), value: base64("<&>") });
    const ids = new Set<string>();
    for (let i = 0; i < 2; i++) {
      const { result } = (await lines.next()).value as {
        result: { watch_id?: string; events: { kv: { value: string } }[] };
      };
      ids.add(result.watch_id ?? "0");
      assert.equal(result.events[0]!.kv.value, base64("<&>"));
    }
    assert.equal(ids.size, 2);
    await lines.return(undefined);
  });

  it("renews leases, one answer a request, and ends with the body", async () => {
    await ask("/v3/lease/grant", { TTL: "60", ID: "77" });
    const answers: unknown[] = [];
    for await (const { result } of linesOf(await post("/v3/lease/keepalive", '{"ID":"77"}{"ID":"5"}'))) {
      const { ID, TTL } = result as { ID: string; TTL?: string };
      answers.push([ID, TTL]);
    }
    assert.deepEqual(answers, [
      ["77", "60"],
      ["5", undefined],
    ]);
  });

  it("streams a range, and an error in its place", async () => {
    let count: string | undefined;
    for await (const { result } of linesOf(await post("/v3/kv/rangestream", { key: base64("a") }))) {
      count = (result as { range_response: { count?: string } }).range_response.count ?? count;
    }
    assert.equal(count, "1");
    const refused = await post("/v3/kv/rangestream", {});
    assert.equal(refused.status, 400);
    assert.deepEqual(await refused.json(), {
      error: { code: 3, message: "etcdserver: key is not provided" },
    });
  });

  it("makes a large answer as it is read", async () => {
    const value = base64("x".repeat(300_000));
    for (let i = 0; i < 8; i++) await ask("/v3/kv/put", { key: base64(`large/${i}`), value });
    const response = await post("/v3/kv/range", { key: base64("large/"), range_end: base64("large0") });
    assert.equal(response.headers.get("content-length"), null);
    const { kvs } = (await response.json()) as { kvs: { value: string }[] };
    assert.deepEqual(
      kvs.map((kv) => kv.value),
      Array(8).fill(value),
    );
  });

  it("keeps little for a slow reader, and stops when it leaves", async () => {
    const response = await post("/v3/maintenance/snapshot", {});
    const reader = response.body!.getReader();
    await reader.read();
    // What is made settles, because buffers on the way are full: it must not grow with time.
    let before = -1;
    while (before !== endless.writtenBytes) {
      before = endless.writtenBytes;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(endless.writtenBytes < 32 * 1024 * 1024, `${endless.writtenBytes} bytes were made for nobody`);
    await reader.cancel();
    await endless.cancelled.promise;
  });
});

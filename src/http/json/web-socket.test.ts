/** The gateway's streams over WebSockets, as etcd has them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { clientFrame, WebSocketClient } from "../../transport/testing/web-socket-client.ts";
import { startTestApp, type TestApp } from "../testing/test-app.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const text = (message: unknown): Buffer => clientFrame(1, JSON.stringify(message));

let app: TestApp;
let port: number;
/** What the handlers were called with, and whether their calls were cancelled. */
const seen: { authorization: string | undefined; isCancelled: boolean }[] = [];
before(async () => {
  app = await startTestApp({
    wrapRoutes: (routes) => {
      const path = "/etcdserverpb.Watch/Watch";
      const watch = routes.get(path);
      assert.ok(watch?.kind === "stream");
      const wrapped: typeof watch = {
        kind: "stream",
        open(call) {
          const one = { authorization: call.metadata.get("authorization"), isCancelled: false };
          seen.push(one);
          call.onCancel(() => {
            one.isCancelled = true;
          });
          return watch.open(call);
        },
      };
      return new Map([...routes, [path, wrapped]]);
    },
    hostWhitelist: ["127.0.0.1"],
  });
  port = Number(new URL(app.url).port);
});
after(() => app.stop());

const json = async (client: WebSocketClient): Promise<Record<string, unknown>> => {
  const frame = await client.next();
  assert.equal(frame?.opcode, 1);
  assert.equal(frame.isLast, true);
  return JSON.parse(frame.payload.toString()) as Record<string, unknown>;
};
const put = (key: string, value: string) =>
  fetch(`${app.url}/v3/kv/put`, {
    method: "POST",
    body: JSON.stringify({ key: base64(key), value: base64(value) }),
  });
const until = async (isTrue: () => boolean) => {
  const endMs = performance.now() + 60_000;
  while (!isTrue()) {
    assert.ok(performance.now() < endMs, "waited too long");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

describe("WebSockets of the gateway", () => {
  it("watch, and take further requests meanwhile", async () => {
    const client = await WebSocketClient.open(port, "/v3/watch");
    client.send(text({ create_request: { key: base64("w/a") } }));
    const created = (await json(client)) as { result: { created: boolean } };
    assert.equal(created.result.created, true);
    await put("w/a", "1");
    const event = (await json(client)) as { result: { events: { kv: { value: string } }[] } };
    assert.equal(event.result.events[0]!.kv.value, base64("1"));
    client.send(clientFrame(9, "ping"), text({ create_request: { key: base64("w/b"), watch_id: 7 } }));
    const pong = await client.next();
    assert.deepEqual([pong?.opcode, pong?.payload.toString()], [10, "ping"]);
    assert.equal(((await json(client)) as { result: { watch_id: string } }).result.watch_id, "7");
    client.send(text({ cancel_request: { watch_id: 7 } }));
    assert.equal(((await json(client)) as { result: { canceled: boolean } }).result.canceled, true);
    client.send(clientFrame(8, Buffer.of(3, 232)));
    assert.equal(await client.closeReason(), "1000");
    await client.closed();
    await until(() => seen.at(-1)!.isCancelled);
  });

  it("are freed when the client is gone without a word", async () => {
    const client = await WebSocketClient.open(port, "/v3/watch");
    client.send(text({ create_request: { key: base64("w/a") } }));
    await json(client);
    client.socket.destroy();
    await until(() => seen.at(-1)!.isCancelled);
  });

  it("serve calls with one answer too, and say that there is no more", async () => {
    const client = await WebSocketClient.open(port, "/v3beta/kv/put");
    client.send(
      clientFrame(1, '{"key":"YQ==",', { isLast: false }),
      clientFrame(0, '"value":"MQ=="}', { isLast: true }),
    );
    assert.ok((await json(client)).header);
    assert.equal(await client.closeReason(), "1000");
    client.send(clientFrame(8, Buffer.of(3, 232)));
    await client.closed();
    const wrong = await WebSocketClient.open(port, "/v3/nothing");
    assert.deepEqual(await json(wrong), { code: 5, message: "Not Found" });
  });

  it("keep leases alive", async () => {
    await fetch(`${app.url}/v3/lease/grant`, { method: "POST", body: '{"TTL":60,"ID":5}' });
    const client = await WebSocketClient.open(port, "/v3/lease/keepalive");
    for (let time = 0; time < 3; time++) {
      client.send(clientFrame(2, '{"ID":"5"}'));
      assert.equal(((await json(client)) as { result: { TTL: string } }).result.TTL, "60");
    }
    client.socket.destroy();
  });

  it("carry long answers in several frames", async () => {
    for (let at = 0; at < 4; at++) await put(`long/${at}`, "x".repeat(100_000));
    const client = await WebSocketClient.open(port, "/v3/kv/range");
    client.send(text({ key: base64("long/"), range_end: base64("long0") }));
    let answer = "";
    for (let frame = await client.next(); frame !== undefined; frame = await client.next()) {
      assert.ok(frame.opcode === (answer === "" ? 1 : 0));
      answer += frame.payload.toString();
      if (frame.isLast) break;
    }
    assert.equal((JSON.parse(answer) as { kvs: unknown[] }).kvs.length, 4);
    client.socket.destroy();
  });

  it("take the token from the subprotocol or from a cookie", async () => {
    const tokenOf = async (headers: Record<string, string>): Promise<string | undefined> => {
      const before = seen.length;
      const { client, head } = await WebSocketClient.ask(port, "/v3/watch", { headers });
      client.send(text({ create_request: { key: base64("w/a") } }));
      await until(() => seen.length > before);
      client.socket.destroy();
      const isNamed = headers["Sec-WebSocket-Protocol"]?.startsWith("Bearer") === true;
      assert.equal(/^sec-websocket-protocol: Bearer\r$/im.test(head), isNamed);
      return seen.at(-1)!.authorization;
    };
    assert.equal(await tokenOf({ "Sec-WebSocket-Protocol": "Bearer, abc.1" }), "Bearer abc.1");
    assert.equal(await tokenOf({ "Sec-WebSocket-Protocol": "Bearer,abc.1" }), "Bearer abc.1");
    assert.equal(await tokenOf({ Cookie: "a=b; token=abc.1" }), "Bearer abc.1");
    assert.equal(await tokenOf({}), undefined);
  });

  it("are refused as etcd refuses them", async () => {
    const ask = async (path: string, options: Parameters<typeof WebSocketClient.ask>[2]) => {
      const { client, head } = await WebSocketClient.ask(port, path, options);
      client.socket.destroy();
      return Number(head.slice(9, 12));
    };
    assert.equal(await ask("/v3/watch", { method: "POST" }), 405);
    assert.equal(await ask("/v3/watch", { headers: { "Sec-WebSocket-Version": "12" } }), 400);
    assert.equal(await ask("/v3/watch", { headers: { "Sec-WebSocket-Key": "abc" } }), 400);
    assert.equal(await ask("/v3/watch", { headers: { Host: "evil.example" } }), 421);
    // Other paths have none, and other protocols are none of ours.
    assert.equal(await ask("/version", {}), 200);
    assert.equal(await ask("/v3/kv/range", { headers: { Upgrade: "h2c" } }), 501);
  });

  it("are for pages of this server and of the origins in --cors", async () => {
    const strict = await startTestApp({ cors: ["https://app.example"] });
    const strictPort = Number(new URL(strict.url).port);
    const ask = async (origin: string | undefined, to = strictPort) => {
      const headers = { Host: `127.0.0.1:${to}`, ...(origin === undefined ? {} : { Origin: origin }) };
      const { client, head } = await WebSocketClient.ask(to, "/v3/watch", { headers });
      client.socket.destroy();
      return Number(head.slice(9, 12));
    };
    assert.equal(await ask("https://app.example"), 101);
    assert.equal(await ask(`http://127.0.0.1:${strictPort}`), 101);
    assert.equal(await ask(undefined), 101);
    assert.equal(await ask("https://evil.example"), 403);
    assert.equal(await ask("null"), 403);
    assert.equal(await ask("https://evil.example", port), 101, "--cors='*' lets all in");
    await strict.stop();
  });

  it("end with what a hostile client sends, and with nothing else", async () => {
    for (const [frame, wanted] of [
      [clientFrame(1, "{}", { isMasked: false }), "1002 bad MASK"],
      [clientFrame(0, "{}"), "1002 continuation after FIN"],
      [Buffer.concat([Buffer.of(0x81, 0xff), Buffer.alloc(12, 0x7f)]), "1009 a frame is too large"],
    ] as const) {
      const client = await WebSocketClient.open(port, "/v3/watch");
      client.send(frame);
      assert.equal(await client.closeReason(), wanted);
      await client.closed();
    }
    const early = await WebSocketClient.ask(port, "/v3/watch", {
      headers: { "Sec-WebSocket-Key": `dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n${"x".repeat(10)}` },
    });
    await early.client.closed();
    assert.equal((await fetch(`${app.url}/version`)).status, 200);
  });

  it("are no more than the runtime's own client needs", async () => {
    const client = new WebSocket(`${app.url.replace("http", "ws")}/v3/watch`, ["Bearer", "abc.2"]);
    const messages: string[] = [];
    const isClosed = new Promise<CloseEvent>((resolve) => client.addEventListener("close", resolve));
    client.addEventListener("open", () =>
      client.send(JSON.stringify({ create_request: { key: base64("w/c") } })),
    );
    client.addEventListener("message", ({ data }) => messages.push(String(data)));
    await until(() => messages.length === 1);
    assert.equal(client.protocol, "Bearer");
    await put("w/c", "1");
    await until(() => messages.length === 2);
    client.close(1000);
    assert.equal((await isClosed).code, 1000);
    assert.equal(seen.at(-1)!.authorization, "Bearer abc.2");
  });
});

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { GrpcCall, GrpcHandler } from "./grpc.ts";
import { maxStreamId } from "./http2/protocol.ts";
import { grpcMessages, RawClient } from "./testing/raw-client.ts";
import { TestServer, testRoutes } from "./testing/test-server.ts";
import { waitFor } from "./testing/wait-for.ts";
import { unaryPath } from "./testing/with-client.ts";

describe("shutdown", () => {
  it("announces itself, lets calls under way end, and serves those that were too quick", async () => {
    const calls: GrpcCall[] = [];
    const held: GrpcHandler = { kind: "single", onRequest: (call) => void calls.push(call) };
    const server = await TestServer.start({ routes: new Map([...testRoutes, ["/test.Echo/Held", held]]) });
    const client = await RawClient.open(server.port);
    const idle = await RawClient.open(server.port);
    await idle.sync();
    client.unary(1, "/test.Echo/Held", Buffer.alloc(0));
    await waitFor("the call", () => calls.length === 1);
    const stopped = server.server.shutdown(3_000);
    assert.equal((await client.goaway()).lastStreamId, maxStreamId);
    const ping = await client.until("a ping", () =>
      client.frames.find(({ type, flags }) => type === 6 && flags === 0),
    );
    // The client had not read the GOAWAY yet.
    client.unary(3, unaryPath, Buffer.from("late"));
    assert.deepEqual(grpcMessages((await client.answer(3)).body), [Buffer.from("late")]);
    client.frame(6, 1, 0, ping.payload);
    const last = await client.until(
      "the second GOAWAY",
      () => client.frames.filter(({ type }) => type === 7)[1],
    );
    assert.equal(last.payload.readUInt32BE(0), 3);
    client.unary(5, unaryPath, Buffer.from("too late"));
    assert.equal(await client.resetCode(5), 7);
    calls[0]!.respond(Buffer.from("done"));
    assert.deepEqual(grpcMessages((await client.answer(1)).body), [Buffer.from("done")]);
    await client.closed();
    await idle.closed();
    await stopped;
    assert.equal(server.server.counters.openHttp2Connections, 0);
    await assert.rejects(RawClient.plain(server.port));
  });

  it("lets an answer over HTTP/1.1 end, and closes idle connections", async () => {
    let finish: (() => void) | undefined;
    const server = await TestServer.start({
      fetch: async () => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return new Response("finished");
      },
    });
    const idle = connect(server.port, "127.0.0.1");
    idle.write("GET / HTTP/1.1\r\n");
    const busy = connect(server.port, "127.0.0.1");
    let seen = "";
    busy.on("data", (piece) => {
      seen += piece;
    });
    busy.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await waitFor("both", () => finish !== undefined && server.server.counters.openHttp1Connections === 2);
    const stopped = server.server.shutdown(3_000);
    await new Promise((resolve) => idle.on("close", resolve));
    finish!();
    await stopped;
    assert.ok(seen.startsWith("HTTP/1.1 200") && seen.includes("finished"), seen);
  });

  it("does not wait for ever", async () => {
    const server = await TestServer.start();
    const client = await RawClient.open(server.port);
    client.unary(1, "/test.Echo/Hang", Buffer.alloc(0));
    await client.sync();
    let isStopped = false;
    const stopped = server.server.shutdown(50).then(() => {
      isStopped = true;
    });
    await waitFor("the end", () => isStopped);
    await stopped;
    await client.closed();
  });

  it("closes connections that have not said what they are", async () => {
    const server = await TestServer.start();
    const client = await RawClient.plain(server.port);
    client.send("P");
    await server.stop();
    await client.closed();
  });
});

describe("listening", () => {
  it("tells the system's error when the port is taken, and keeps none of the others", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    const server = await TestServer.start();
    const free = await TestServer.start();
    const freePort = free.port;
    await free.stop();
    await assert.rejects(
      server.server.listenAll([`http://127.0.0.1:${freePort}`, `http://127.0.0.1:${port}`]),
      (cause) => (cause as { code?: string }).code === "EADDRINUSE",
    );
    await assert.rejects(RawClient.plain(freePort));
    taken.close();
    await server.stop();
  });

  it("serves a unix socket, over one that was left behind", async () => {
    const folder = mkdtempSync(join(tmpdir(), "listen-"));
    try {
      const path = join(folder, "socket");
      const server = await TestServer.start();
      const stale = await server.server.listen(`unix://${path}`);
      assert.equal(stale.port, undefined);
      assert.ok(existsSync(path));
      // A second server takes the path over, as after a crash.
      const second = await TestServer.start();
      await second.server.listen(`unix://${path}`);
      await second.stop();
      await server.stop();
      writeFileSync(path, "not a socket");
      const third = await TestServer.start();
      await assert.rejects(third.server.listen(`unix://${path}`));
      await third.stop();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("serves both families on the wildcard address", async () => {
    const server = await TestServer.start();
    const listener = await server.server.listen("http://0.0.0.0:0");
    const client = await RawClient.open(listener.port!);
    client.unary(1, unaryPath, Buffer.from("x"));
    assert.equal((await client.answer(1)).trailers["grpc-status"], "0");
    client.destroy();
    await server.stop();
  });

  it("refuses a secure URL without a certificate, and a URL that is none", async () => {
    const server = await TestServer.start();
    await assert.rejects(server.server.listen("https://127.0.0.1:0"), /certificate/);
    await assert.rejects(server.server.listen("gopher://127.0.0.1:0"), /scheme/);
    await server.stop();
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { GrpcCall, GrpcHandler } from "../grpc.ts";
import { ErrorCode } from "../http2/protocol.ts";
import { catchingRoutes } from "../testing/catching-routes.ts";
import { grpcMessage, grpcMessages, RawClient } from "../testing/raw-client.ts";
import { TestServer, testRoutes } from "../testing/test-server.ts";
import { waitFor } from "../testing/wait-for.ts";
import { withClient } from "../testing/with-client.ts";

const streamPath = "/test.Echo/Stream";

describe("a streaming call", () => {
  it(
    "goes both ways",
    withClient({}, async (client) => {
      client.call(1, streamPath);
      for (let round = 0; round < 20; round++) {
        client.data(1, grpcMessage(Buffer.from(`${round}`)), false);
        await client.until(
          "the echo",
          () => grpcMessages(client.bodyOf(1)).length === round + 1 || undefined,
        );
      }
      client.data(1, Buffer.alloc(0), true);
      const { body, trailers } = await client.answer(1);
      assert.deepEqual(
        grpcMessages(body).map(String),
        Array.from({ length: 20 }, (_, round) => `${round}`),
      );
      assert.equal(trailers["grpc-status"], "0");
    }),
  );

  it(
    "may pack messages into frames as it likes",
    withClient({}, async (client) => {
      client.call(1, streamPath);
      const messages = Array.from({ length: 100 }, (_, index) => Buffer.alloc(index * 7, index));
      const all = Buffer.concat(messages.map((message) => grpcMessage(message)));
      for (let at = 0; at < all.length; at += 1_234) {
        client.data(1, all.subarray(at, at + 1_234), at + 1_234 >= all.length);
      }
      const { body } = await client.answer(1);
      assert.deepEqual(grpcMessages(body), messages);
    }),
  );

  it("sends headers before its first message when asked to", async () => {
    const calls: GrpcCall[] = [];
    await withClient(
      {},
      async (client) => {
        client.call(1, "/test.Echo/CatchStream");
        await waitFor("the call", () => calls.length === 1);
        calls[0]!.sendHeaders();
        calls[0]!.sendHeaders();
        const frame = await client.frameOf(1, 1);
        assert.equal(client.fieldsOf(frame)[":status"], "200");
        calls[0]!.fail(new EtcdError(GrpcCode.unavailable, "later"));
        const { trailers } = await client.answer(1);
        assert.deepEqual(trailers, { "grpc-status": "14", "grpc-message": "later" });
      },
      { routes: catchingRoutes(calls) },
    )();
  });

  it("says when to wait, and when to go on", async () => {
    const calls: GrpcCall[] = [];
    await withClient(
      {},
      async (client) => {
        client.call(1, "/test.Echo/CatchStream");
        await waitFor("the call", () => calls.length === 1);
        const call = calls[0]!;
        let drained = 0;
        call.onDrain(() => drained++);
        const message = Buffer.alloc(100_000, 1);
        assert.equal(call.write(message), true);
        assert.equal(call.write(message), true);
        assert.equal(call.write(message), false);
        assert.ok(call.pendingBytes >= 256 * 1024);
        client.windowUpdate(0, 10_000_000);
        await client.sync();
        assert.equal(drained, 0);
        client.windowUpdate(1, 150_000);
        await waitFor("room", () => drained === 1);
        assert.ok(call.pendingBytes < 128 * 1024);
        client.windowUpdate(1, 10_000_000);
        await client.until("all", () => client.bodyOf(1).length === 300_015 || undefined);
        assert.equal(drained, 1);
        assert.equal(call.pendingBytes, 0);
      },
      { routes: catchingRoutes(calls) },
    )();
  });

  it("ends when its producer never waits", async () => {
    const calls: GrpcCall[] = [];
    const server = await TestServer.start({ routes: catchingRoutes(calls) });
    const client = await RawClient.open(server.port);
    client.call(1, "/test.Echo/CatchStream");
    await waitFor("the call", () => calls.length === 1);
    const message = Buffer.alloc(4_000_000);
    for (let count = 0; count < 100 && !calls[0]!.cancelled; count++) calls[0]!.write(message);
    assert.equal(calls[0]!.cancelled, true);
    assert.equal(await client.resetCode(1), ErrorCode.enhanceYourCalm);
    assert.equal(server.faults.length, 1);
    client.destroy();
    await server.stop();
  });

  it("keeps messages handed up as they were", async () => {
    const kept: Uint8Array[] = [];
    const keep: GrpcHandler = {
      kind: "stream",
      open: (call) => ({ onMessage: (message) => void kept.push(message), onHalfClose: () => call.end() }),
    };
    await withClient(
      {},
      async (client) => {
        client.call(1, "/test.Echo/Keep");
        for (let index = 0; index < 3_000; index++) {
          client.data(1, grpcMessage(Buffer.alloc(50 + (index % 400), index)), index === 2_999);
          if (index % 500 === 0) await client.sync();
        }
        await client.answer(1);
        assert.equal(kept.length, 3_000);
        for (const [index, message] of kept.entries()) {
          assert.equal(message.length, 50 + (index % 400));
          assert.ok(
            message.every((octet) => octet === (index & 255)),
            `message ${index}`,
          );
        }
      },
      { routes: new Map([...testRoutes, ["/test.Echo/Keep", keep]]) },
    )();
  });
});

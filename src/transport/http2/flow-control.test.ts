import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GrpcCall, GrpcHandler } from "../grpc.ts";
import { type Frame, grpcMessage, grpcMessages, RawClient, requestFields } from "../testing/raw-client.ts";
import { testLimits, testRoutes } from "../testing/test-server.ts";
import { waitFor } from "../testing/wait-for.ts";
import { assertServes, unaryPath, withClient } from "../testing/with-client.ts";
import { ErrorCode } from "./protocol.ts";

const blobPath = "/test.Echo/Blob";
const MiB = 1024 * 1024;

/** Routes with one more: a stream whose calls are paused from the start. */
function pausedRoutes(calls: GrpcCall[], messages: Uint8Array[]): ReadonlyMap<string, GrpcHandler> {
  const paused: GrpcHandler = {
    kind: "stream",
    open(call) {
      calls.push(call);
      call.pause();
      return { onMessage: (message) => messages.push(message), onHalfClose: () => call.end() };
    },
  };
  return new Map([...testRoutes, ["/test.Echo/Paused", paused]]);
}

function dataFrames(client: RawClient, streamId: number): Frame[] {
  return client.frames.filter(({ type, streamId: id }) => type === 0 && id === streamId);
}

describe("receiving", () => {
  const calls: GrpcCall[] = [];
  const messages: Uint8Array[] = [];
  const routes = pausedRoutes(calls, messages);

  it(
    "a paused call's window is not given back, and overrunning it resets the stream",
    withClient(
      { streamWindowBytes: 65_535 },
      async (client) => {
        client.call(1, "/test.Echo/Paused");
        for (let sent = 0; sent < 60_000; sent += 10_000)
          client.data(1, grpcMessage(Buffer.alloc(9_995)), false);
        await client.sync();
        assert.equal(
          client.frames.some(({ type, streamId }) => type === 8 && streamId === 1),
          false,
        );
        client.data(1, grpcMessage(Buffer.alloc(9_995)), false);
        assert.equal(await client.resetCode(1), ErrorCode.flowControlError);
        assert.equal(calls.at(-1)!.cancelled, true);
        await assertServes(client, 3);
      },
      { routes },
    ),
  );

  it(
    "a call that resumes gets everything in order, and gives the window back",
    withClient(
      { streamWindowBytes: 65_535 },
      async (client) => {
        messages.length = 0;
        client.call(1, "/test.Echo/Paused");
        const sent = Array.from({ length: 6 }, (_, index) => Buffer.alloc(9_995, index));
        for (const message of sent) client.data(1, grpcMessage(message), false);
        client.data(1, Buffer.alloc(0), true);
        await client.sync();
        assert.equal(messages.length, 0);
        calls.at(-1)!.resume();
        assert.equal((await client.answer(1)).trailers["grpc-status"], "0");
        assert.deepEqual(
          messages.map((message) => Buffer.from(message)),
          sent,
        );
      },
      { routes },
    ),
  );

  it(
    "a call that resumes before the end may be sent more",
    withClient(
      { streamWindowBytes: 65_535 },
      async (client) => {
        client.call(1, "/test.Echo/Paused");
        for (let count = 0; count < 6; count++) client.data(1, grpcMessage(Buffer.alloc(9_995)), false);
        await client.sync();
        calls.at(-1)!.resume();
        assert.equal((await client.frameOf(8, 1)).payload.readUInt32BE(0), 60_000);
      },
      { routes },
    ),
  );

  it(
    "a message larger than the window comes through",
    withClient(
      { streamWindowBytes: 65_535 },
      async (client) => {
        const message = Buffer.alloc(500_000, "large");
        const framed = grpcMessage(message);
        client.call(1, unaryPath);
        let granted = 65_535;
        let seen = 0;
        for (let at = 0; at < framed.length; ) {
          const updates = client.frames.filter(({ type, streamId }) => type === 8 && streamId === 1);
          for (; seen < updates.length; seen++) granted += updates[seen]!.payload.readUInt32BE(0);
          const count = Math.min(16_384, framed.length - at, granted - at);
          if (count === 0) await client.sync();
          else client.data(1, framed.subarray(at, at + count), at + count === framed.length);
          at += count;
        }
        client.windowUpdate(1, MiB);
        client.windowUpdate(0, MiB);
        assert.deepEqual(grpcMessages((await client.answer(1)).body), [message]);
      },
      { limits: { ...testLimits, maxReceiveBytes: MiB } },
    ),
  );

  it(
    "the connection's window is given back although nobody reads",
    withClient(
      { connectionWindowBytes: 100_000 },
      async (client) => {
        client.call(1, "/test.Echo/Paused");
        for (let count = 0; count < 20; count++) {
          client.data(1, Buffer.alloc(10_000), false);
          await client.sync();
        }
        const updates = client.frames.filter(({ type, streamId }) => type === 8 && streamId === 0);
        assert.equal(updates.length, 1 + 4);
      },
      { routes },
    ),
  );

  it(
    "padding counts, and is given back",
    withClient({ streamWindowBytes: 65_535 }, async (client) => {
      client.call(1, "/test.Echo/Stream");
      const message = grpcMessage(Buffer.from("m"));
      const padded = Buffer.concat([Buffer.of(255), message, Buffer.alloc(255)]);
      for (let count = 0; count < 300; count++) client.frame(0, 8, 1, padded);
      client.data(1, Buffer.alloc(0), true);
      assert.equal(grpcMessages((await client.answer(1)).body).length, 300);
      assert.ok(client.frames.some(({ type, streamId }) => type === 8 && streamId === 1));
    }),
  );

  it(
    "bytes that nobody reads have a limit on a connection",
    withClient(
      { maxBufferedRequestBytes: 150_000 },
      async (client) => {
        for (const id of [1, 3]) {
          client.call(id, "/test.Echo/Paused");
          for (let count = 0; count < 10; count++) client.data(id, Buffer.alloc(10_000), false);
        }
        const { trailers } = await client.answer(3);
        assert.equal(trailers["grpc-status"], "8");
        assert.equal(trailers["grpc-message"], "grpc: too much unread data on this connection");
        // What the failed call held is free again.
        client.call(5, "/test.Echo/Paused");
        client.data(5, Buffer.alloc(10_000), false);
        await client.sync();
        assert.equal(
          client.frames.some(({ streamId }) => streamId === 5),
          false,
        );
      },
      { routes, limits: { ...testLimits, maxReceiveBytes: 1000 } },
    ),
  );

  it(
    "bytes that nobody reads have a limit over all connections",
    withClient(
      {},
      async (client, server) => {
        const other = await RawClient.open(server.port);
        for (const each of [client, other]) {
          each.call(1, "/test.Echo/Paused");
          for (let count = 0; count < 10; count++) each.data(1, Buffer.alloc(10_000), false);
          await each.sync();
        }
        assert.equal((await other.answer(1)).trailers["grpc-status"], "8");
        assert.equal(
          client.frames.some(({ streamId }) => streamId === 1),
          false,
        );
        client.destroy();
        await waitFor(
          "the first connection to be gone",
          () => server.server.counters.openHttp2Connections === 1,
        );
        other.call(3, "/test.Echo/Paused");
        for (let count = 0; count < 10; count++) other.data(3, Buffer.alloc(10_000), false);
        await other.sync();
        assert.equal(
          other.frames.some(({ streamId }) => streamId === 3),
          false,
        );
        other.destroy();
      },
      { routes, requestMemoryBytes: 150_000, limits: { ...testLimits, maxReceiveBytes: 1000 } },
    ),
  );
});

describe("sending", () => {
  it(
    "keeps to the stream's window",
    withClient({}, async (client) => {
      client.settings([[4, 10]]);
      client.unary(1, blobPath, Buffer.from("100"));
      await client.until("10 octets", () => client.bodyOf(1).length === 10 || undefined);
      client.windowUpdate(1, 20);
      await client.until("30 octets", () => client.bodyOf(1).length === 30 || undefined);
      await client.sync();
      assert.equal(client.bodyOf(1).length, 30);
      // A larger initial window is one for streams that are open, too.
      client.settings([[4, 30]]);
      await client.until("50 octets", () => client.bodyOf(1).length === 50 || undefined);
      client.settings([[4, 0]]);
      client.windowUpdate(1, 25);
      await client.sync();
      assert.equal(client.bodyOf(1).length, 50, "the window was below zero");
      client.windowUpdate(1, 1000);
      const { body, trailers } = await client.answer(1);
      assert.equal(body.length, 105);
      assert.equal(trailers["grpc-status"], "0");
    }),
  );

  it(
    "keeps to the connection's window",
    withClient({}, async (client) => {
      client.unary(1, blobPath, Buffer.from("60000"));
      client.unary(3, blobPath, Buffer.from("60000"));
      await client.until(
        "65535 octets",
        () => client.bodyOf(1).length + client.bodyOf(3).length === 65_535 || undefined,
      );
      await client.sync();
      assert.equal(client.bodyOf(1).length + client.bodyOf(3).length, 65_535);
      // Answers without a body of their own still get through.
      client.call(5, "/test.Echo/None");
      assert.equal((await client.answer(5)).trailers["grpc-status"], "12");
      client.windowUpdate(0, 100_000);
      assert.equal((await client.answer(1)).body.length, 60_005);
      assert.equal((await client.answer(3)).body.length, 60_005);
    }),
  );

  it(
    "takes streams in turn",
    withClient({}, async (client) => {
      client.settings([[4, 10 * MiB]]);
      for (const id of [1, 3, 5]) client.unary(id, blobPath, Buffer.from("200000"));
      await client.until(
        "what the window allows",
        () => client.frames.filter(({ type }) => type === 0).length >= 4,
      );
      client.windowUpdate(0, 10 * MiB);
      for (const id of [1, 3, 5]) assert.equal((await client.answer(id)).body.length, 200_005);
      const order = client.frames.filter(({ type }) => type === 0).map(({ streamId }) => streamId);
      const firstHalf = order.slice(0, Math.floor(order.length / 2));
      for (const id of [1, 3, 5]) {
        assert.ok(firstHalf.filter((streamId) => streamId === id).length >= 4, `order was ${order}`);
      }
    }),
  );

  it(
    "cuts frames at 16 KiB and sends large answers whole",
    withClient({}, async (client) => {
      client.settings([[4, 2 ** 30]]);
      client.windowUpdate(0, 2 ** 30);
      client.unary(1, blobPath, Buffer.from("5000000"));
      client.unary(3, "/test.Echo/Parts", Buffer.from("3000000"));
      const blob = await client.answer(1);
      assert.equal(blob.body.length, 5_000_005);
      assert.equal(blob.body.readUInt32BE(1), 5_000_000);
      assert.ok(blob.body.subarray(5).every((octet) => octet === 0x62));
      const parts = await client.answer(3);
      assert.equal(parts.body.readUInt32BE(1), 3_000_000);
      assert.equal(parts.body.length, 3_000_005);
      assert.ok(dataFrames(client, 1).every(({ payload }) => payload.length <= 16_384));
    }),
  );

  it(
    "refuses streams while too much waits to be sent, one large answer apart",
    withClient({ maxPendingOutputBytes: 100_000 }, async (client) => {
      client.settings([[4, 0]]);
      client.unary(1, blobPath, Buffer.from("1000000"));
      client.unary(3, blobPath, Buffer.from("60000"));
      client.unary(5, blobPath, Buffer.from("60000"));
      client.unary(7, blobPath, Buffer.from("10"));
      assert.equal(await client.resetCode(7), ErrorCode.refusedStream);
      client.windowUpdate(3, 100_000);
      await client.answer(3);
      client.unary(9, blobPath, Buffer.from("10"));
      client.windowUpdate(9, 100);
      assert.equal((await client.answer(9)).body.length, 15);
    }),
  );

  it(
    "gives up on a peer that takes nothing",
    withClient({ outputStallTimeoutMs: 50 }, async (client, server) => {
      client.settings([[4, 2 ** 30]]);
      client.windowUpdate(0, 2 ** 30);
      await client.sync();
      client.socket.pause();
      client.unary(1, blobPath, Buffer.from("50000000"));
      await waitFor("the connection to end", () => server.errors.length === 1);
      assert.deepEqual(server.errors, ["the peer reads nothing"]);
      assert.equal(server.server.counters.openHttp2Connections, 0);
    }),
  );

  it(
    "has patience with a peer that is only slow",
    withClient({ outputStallTimeoutMs: 250 }, async (client, server) => {
      client.settings([[4, 2 ** 30]]);
      client.windowUpdate(0, 2 ** 30);
      client.unary(1, blobPath, Buffer.from("20000000"));
      const startMs = performance.now();
      while (performance.now() < startMs + 1_000) {
        client.socket.pause();
        await new Promise((resolve) => setTimeout(resolve, 20));
        client.socket.resume();
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal((await client.answer(1)).body.length, 20_000_005);
      assert.deepEqual(server.errors, []);
    }),
  );
});

describe("a turn", () => {
  it(
    "ends when it takes too long, and nothing is lost or reordered",
    withClient({ turnBudgetMs: -1 }, async (client, server) => {
      // Every look at the clock finds the turn over.
      const count = 1_000;
      client.call(1, "/test.Echo/Stream");
      const pieces = Array.from({ length: count }, (_, index) => grpcMessage(Buffer.from(`${index}`)));
      const { frameBytes } = await import("../testing/raw-client.ts");
      client.send(Buffer.concat(pieces.map((piece) => frameBytes(0, 0, 1, piece))));
      client.data(1, Buffer.alloc(0), true);
      client.headers(3, requestFields("GET", "/"), true);
      const texts = grpcMessages((await client.answer(1)).body).map(String);
      assert.deepEqual(
        texts,
        Array.from({ length: count }, (_, index) => `${index}`),
      );
      assert.equal((await client.answer(3)).status, "200");
      assert.deepEqual(server.errors, []);
    }),
  );
});

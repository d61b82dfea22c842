import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { grpcFields, grpcMessage, RawClient } from "../testing/raw-client.ts";
import { waitFor } from "../testing/wait-for.ts";
import { assertServes, unaryPath, withClient } from "../testing/with-client.ts";
import { clientPreface, ErrorCode } from "./protocol.ts";

const blobPath = "/test.Echo/Blob";

async function assertCalmed(client: RawClient, text: string): Promise<void> {
  assert.deepEqual(await client.goaway().then(({ code, text: debug }) => ({ code, text: debug })), {
    code: ErrorCode.enhanceYourCalm,
    text,
  });
  await client.closed();
}

describe("HTTP/2 connection", () => {
  describe("preface", () => {
    it(
      "announces its settings and windows",
      withClient({ maxConcurrentStreams: 7 }, async (client) => {
        const { payload } = await client.frameOf(4);
        const settings = new Map<number, number>();
        for (let at = 0; at < payload.length; at += 6) {
          settings.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
        }
        assert.deepEqual(
          [...settings],
          [
            [3, 7],
            [4, 1024 * 1024],
            [6, 64 * 1024],
          ],
        );
        const update = await client.frameOf(8, 0);
        assert.equal(update.payload.readUInt32BE(0) + 65_535, 16 * 1024 * 1024);
        await client.sync();
      }),
    );

    it(
      "may come an octet at a time",
      withClient({}, async (_client, server) => {
        const slow = await RawClient.plain(server.port);
        for (const octet of clientPreface) {
          slow.send(Buffer.of(octet));
          await new Promise((resolve) => setImmediate(resolve));
        }
        slow.settings([]);
        await assertServes(slow, 1);
        slow.destroy();
      }),
    );

    it(
      "has to be right",
      withClient({}, async (_client, server) => {
        const client = await RawClient.plain(server.port);
        client.send("PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n");
        assert.equal((await client.goaway()).code, ErrorCode.protocolError);
        await client.closed();
      }),
    );

    it(
      "has to be followed by SETTINGS",
      withClient({}, async (_client, server) => {
        const client = await RawClient.plain(server.port);
        client.send(clientPreface);
        client.ping();
        assert.equal((await client.goaway()).code, ErrorCode.protocolError);
        await client.closed();
      }),
    );

    it(
      "has to come in time",
      withClient({ prefaceTimeoutMs: 30 }, async (_client, server) => {
        const silent = await RawClient.plain(server.port);
        await silent.closed();
        const hesitant = await RawClient.plain(server.port);
        hesitant.send(clientPreface);
        assert.equal((await hesitant.goaway()).code, ErrorCode.protocolError);
        await hesitant.closed();
      }),
    );
  });

  describe("streams", () => {
    it(
      "beyond maxConcurrentStreams are refused",
      withClient({ maxConcurrentStreams: 3 }, async (client, server) => {
        for (const id of [1, 3, 5, 7]) client.unary(id, "/test.Echo/Hang", Buffer.alloc(0));
        assert.equal(await client.resetCode(7), ErrorCode.refusedStream);
        assert.equal(server.server.counters.streamsRefused, 1);
        client.reset(3);
        await assertServes(client, 9);
      }),
    );

    it(
      "that go on after their answer are told to stop, and late frames are no error",
      withClient({}, async (client) => {
        client.call(1, "/test.Echo/None");
        assert.equal((await client.answer(1)).trailers["grpc-status"], "12");
        assert.equal(await client.resetCode(1), ErrorCode.noError);
        client.data(1, Buffer.alloc(100), false);
        client.windowUpdate(1, 10);
        client.headers(1, [["a", "b"]], true);
        await assertServes(client, 3);
      }),
    );

    it(
      "that end by themselves are not",
      withClient({}, async (client) => {
        client.call(1, "/test.Echo/None");
        client.data(1, grpcMessage(Buffer.alloc(0)), true);
        await client.answer(1);
        await client.sync();
        assert.equal(
          client.frames.some(({ type }) => type === 3),
          false,
        );
      }),
    );

    it(
      "that were closed take no more frames",
      withClient({}, async (client) => {
        client.unary(1, unaryPath, Buffer.alloc(0));
        await client.answer(1);
        client.data(1, Buffer.alloc(1), false);
        assert.equal(await client.resetCode(1), ErrorCode.streamClosed);
        client.unary(3, unaryPath, Buffer.alloc(0));
        await client.answer(3);
        client.headers(3, grpcFields(unaryPath), true);
        assert.equal((await client.goaway()).code, ErrorCode.streamClosed);
      }),
    );

    it(
      "have numbers that grow",
      withClient({}, async (client) => {
        client.unary(5, unaryPath, Buffer.alloc(0));
        await client.answer(5);
        client.headers(3, grpcFields(unaryPath), true);
        assert.deepEqual(await client.goaway().then(({ code, lastStreamId }) => [code, lastStreamId]), [
          ErrorCode.protocolError,
          5,
        ]);
        await client.closed();
      }),
    );
  });

  describe("header blocks", () => {
    it(
      "over several CONTINUATIONs are put together",
      withClient({}, async (client) => {
        const { encodeFields } = await import("../hpack/encoder.ts");
        const block = encodeFields(grpcFields(unaryPath));
        client.frame(1, 0, 1, block.subarray(0, 5));
        client.frame(9, 0, 1, block.subarray(5, 6));
        client.frame(9, 4, 1, block.subarray(6));
        client.data(1, grpcMessage(Buffer.from("x")), true);
        assert.equal((await client.answer(1)).trailers["grpc-status"], "0");
      }),
    );

    it(
      "have a limit of frames",
      withClient({ maxContinuations: 3 }, async (client) => {
        client.frame(1, 0, 1, Buffer.of(0x82));
        for (let index = 0; index < 4; index++) client.frame(9, 0, 1);
        await assertCalmed(client, "too many CONTINUATION frames");
      }),
    );

    it(
      "have a limit of octets",
      withClient({ maxHeaderBlockBytes: 100 }, async (client) => {
        client.frame(1, 0, 1, Buffer.alloc(60, 0x82));
        client.frame(9, 0, 1, Buffer.alloc(60, 0x82));
        await assertCalmed(client, "header block too large");
      }),
    );

    it(
      "have a limit of list size, and the table goes on",
      withClient({ maxHeaderListBytes: 500 }, async (client) => {
        client.call(1, unaryPath, [["x", "y".repeat(500)]]);
        assert.equal(await client.resetCode(1), ErrorCode.frameSizeError);
        await assertServes(client, 3);
      }),
    );

    it(
      "that cannot be decoded end the connection",
      withClient({}, async (client) => {
        client.frame(1, 5, 1, Buffer.of(0x80));
        assert.equal((await client.goaway()).code, ErrorCode.compressionError);
        await client.closed();
      }),
    );

    it(
      "repeat cheaply without being mixed up",
      withClient({}, async (client) => {
        // The same octets mean another path after the table has changed.
        const path = (text: string) => Buffer.concat([Buffer.of(0x44, text.length), Buffer.from(text)]);
        const { encodeFields } = await import("../hpack/encoder.ts");
        const rest = encodeFields(grpcFields("/").filter(([name]) => name !== ":path"));
        const message = grpcMessage(Buffer.from("q"));
        client.frame(1, 4, 1, Buffer.concat([path(unaryPath), rest]));
        client.data(1, message, true);
        for (const id of [3, 5]) {
          client.frame(1, 4, id, Buffer.concat([Buffer.of(0xbe), rest]));
          client.data(id, message, true);
        }
        client.frame(1, 4, 7, Buffer.concat([path("/test.Echo/None"), rest]));
        client.data(7, message, true);
        client.frame(1, 4, 9, Buffer.concat([Buffer.of(0xbe), rest]));
        client.data(9, message, true);
        client.frame(1, 4, 11, Buffer.concat([Buffer.of(0xbf), rest]));
        client.data(11, message, true);
        const statuses: (string | undefined)[] = [];
        for (const id of [1, 3, 5, 7, 9, 11])
          statuses.push((await client.answer(id)).trailers["grpc-status"]);
        assert.deepEqual(statuses, ["0", "0", "0", "12", "12", "0"]);
      }),
    );
  });

  describe("floods", () => {
    it(
      "of resets",
      withClient({ maxResets: 20, resetRefillPerSecond: 0 }, async (client) => {
        for (let index = 0; index <= 20; index++) {
          client.unary(1 + 2 * index, "/test.Echo/Hang", Buffer.alloc(0));
          client.reset(1 + 2 * index);
        }
        await assertCalmed(client, "too many reset streams");
      }),
    );

    it(
      "of streams that we have to reset",
      withClient({ maxResets: 20, resetRefillPerSecond: 0 }, async (client) => {
        for (let index = 0; index <= 20; index++) {
          client.unary(1 + 2 * index, "/test.Echo/Hang", Buffer.alloc(0));
          client.windowUpdate(1 + 2 * index, 0);
        }
        await assertCalmed(client, "too many reset streams");
      }),
    );

    it(
      "of SETTINGS",
      withClient({ maxControlFrames: 20, controlRefillPerSecond: 0 }, async (client) => {
        for (let index = 0; index < 20; index++) client.settings([]);
        await assertCalmed(client, "too many control frames");
      }),
    );

    it(
      "of WINDOW_UPDATE, PRIORITY and unknown frames",
      withClient({ maxControlFrames: 21, controlRefillPerSecond: 0 }, async (client) => {
        for (let index = 0; index < 10; index++) {
          client.windowUpdate(0, 1);
          client.frame(2, 0, 1, Buffer.of(0, 0, 0, 3, 0));
          client.frame(0x77, 0, 0);
        }
        await assertCalmed(client, "too many control frames");
      }),
    );

    it(
      "of resets of streams that are gone",
      withClient({ maxControlFrames: 20, controlRefillPerSecond: 0 }, async (client) => {
        client.unary(1, unaryPath, Buffer.alloc(0));
        await client.answer(1);
        for (let index = 0; index < 21; index++) client.reset(1);
        await assertCalmed(client, "too many control frames");
      }),
    );

    it(
      "of empty DATA",
      withClient({ maxEmptyFrames: 20 }, async (client) => {
        client.call(1, "/test.Echo/Stream");
        for (let index = 0; index < 21; index++) client.data(1, Buffer.alloc(0), false);
        await assertCalmed(client, "too many empty frames");
      }),
    );

    it(
      "of pings whose answers are not read",
      withClient({ maxPendingAcks: 50 }, async (client, server) => {
        // One call's answer fills the sockets, so that answers to pings have to wait.
        client.windowUpdate(0, 2 ** 30);
        client.settings([[4, 2 ** 30]]);
        client.socket.pause();
        for (let id = 1; id < 17; id += 2) client.unary(id, blobPath, Buffer.from("4000000"));
        await waitFor("the socket to be full", () => server.server.counters.streamsOpened === 8);
        for (let index = 0; index < 100; index++) client.settings([]);
        await waitFor("the connection to end", () => server.server.counters.connectionErrors === 1);
        assert.deepEqual(server.errors, ["answers to PING and SETTINGS are not read"]);
      }),
    );
  });
});

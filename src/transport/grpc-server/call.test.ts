import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { GrpcCall } from "../grpc.ts";
import { catchingRoutes } from "../testing/catching-routes.ts";
import { grpcMessage, grpcMessages, requestFields } from "../testing/raw-client.ts";
import { waitFor } from "../testing/wait-for.ts";
import { unaryPath, withClient } from "../testing/with-client.ts";

describe("a unary call", () => {
  it(
    "is answered with headers, a message, and status 0",
    withClient({}, async (client) => {
      for (let id = 1; id < 40; id += 2) {
        const message = Buffer.from(`message ${id}`);
        client.unary(id, unaryPath, message);
        const answer = await client.answer(id);
        assert.equal(answer.status, "200");
        assert.deepEqual(answer.headers, { ":status": "200", "content-type": "application/grpc" });
        assert.deepEqual(answer.trailers, { "grpc-status": "0" });
        assert.deepEqual(grpcMessages(answer.body), [message]);
      }
    }),
  );

  it(
    "may carry an empty message, or an octet at a time",
    withClient({}, async (client) => {
      client.unary(1, unaryPath, Buffer.alloc(0));
      assert.deepEqual(grpcMessages((await client.answer(1)).body), [Buffer.alloc(0)]);
      client.call(3, unaryPath);
      for (const octet of grpcMessage(Buffer.from("slow"))) client.data(3, Buffer.of(octet), false);
      client.data(3, Buffer.alloc(0), true);
      assert.deepEqual(grpcMessages((await client.answer(3)).body), [Buffer.from("slow")]);
    }),
  );

  it(
    "is answered before the client ends it, as grpc-go does",
    withClient({}, async (client) => {
      client.call(1, unaryPath);
      client.data(1, grpcMessage(Buffer.from("x")), false);
      assert.equal((await client.answer(1)).trailers["grpc-status"], "0");
    }),
  );

  it(
    "fails with the handler's code and text, percent-encoded",
    withClient({}, async (client) => {
      client.unary(1, "/test.Echo/Fail", Buffer.from("50% für\nSie"));
      const { trailers, headers } = await client.answer(1);
      assert.equal(headers[":status"], "200");
      assert.equal(trailers["grpc-status"], "11");
      assert.equal(trailers["grpc-message"], "50%25 f%C3%BCr%0ASie");
    }),
  );

  it(
    "fails with what the handler throws",
    withClient({}, async (client, server) => {
      client.unary(1, "/test.Echo/Fail", Buffer.from("throw-etcd"));
      assert.deepEqual((await client.answer(1)).trailers["grpc-message"], "etcdserver: thrown");
      assert.equal(server.faults.length, 0);
      client.unary(3, "/test.Echo/Fail", Buffer.from("throw"));
      assert.equal((await client.answer(3)).trailers["grpc-status"], "2");
      assert.equal(server.faults.splice(0).length, 1);
    }),
  );

  it("has metadata, decoded", async () => {
    const calls: GrpcCall[] = [];
    await withClient(
      {},
      async (client) => {
        const binary = Buffer.of(0, 255, 10);
        client.call(1, "/test.Echo/Catch", [
          ["token", "abc"],
          ["x-bin", binary.toString("base64")],
          ["y-bin", binary.toString("base64").replace(/=+$/, "")],
          ["user-agent", "test"],
        ]);
        client.data(1, grpcMessage(Buffer.alloc(0)), true);
        await waitFor("the call", () => calls.length === 1);
        const call = calls[0]!;
        assert.equal(call.path, "/test.Echo/Catch");
        assert.equal(call.metadata.get("token"), "abc");
        assert.equal(call.metadata.get("x-bin"), binary.toString("latin1"));
        assert.equal(call.metadata.get("te"), undefined);
        assert.deepEqual(
          [...call.metadata.entries()].map(([name]) => name),
          [":authority", "token", "x-bin", "y-bin", "user-agent"],
        );
        assert.match(call.peer.address, /^127\.0\.0\.1:\d+$/);
        assert.equal(call.peer.secure, false);
        assert.equal(call.timeoutMs, undefined);
        call.fail(new EtcdError(GrpcCode.aborted, "done"));
        call.respond(Buffer.alloc(1));
        call.end();
        assert.equal((await client.answer(1)).trailers["grpc-status"], "10");
      },
      { routes: catchingRoutes(calls) },
    )();
  });

  it(
    "is counted",
    withClient({}, async (client, server) => {
      client.unary(1, unaryPath, Buffer.alloc(10));
      client.unary(3, unaryPath, Buffer.alloc(20));
      client.unary(5, "/test.Echo/Fail", Buffer.from("no"));
      for (const id of [1, 3, 5]) await client.answer(id);
      const { counters } = server.server.methods.get(unaryPath)!;
      assert.deepEqual(
        { ...counters, handled: counters.handled[0] },
        { started: 2, messagesReceived: 2, messagesSent: 2, handled: 2 },
      );
      assert.equal(server.server.methods.get("/test.Echo/Fail")!.counters.handled[11], 1);
      assert.equal(server.server.counters.grpcReceivedBytes, 32);
      assert.equal(server.server.counters.grpcSentBytes, 30);
    }),
  );
});

describe("content and encoding", () => {
  it(
    "the answer has the subtype of the request",
    withClient({}, async (client) => {
      const fields = requestFields("POST", unaryPath);
      for (const [id, type] of [
        [1, "application/grpc+proto"],
        [3, "application/grpc"],
        [5, "application/grpc+proto"],
      ] as const) {
        client.headers(id, [...fields, ["content-type", type]], false);
        client.data(id, grpcMessage(Buffer.from("x")), true);
        const { headers, trailers } = await client.answer(id);
        assert.equal(headers["content-type"], type);
        assert.equal(trailers["grpc-status"], "0");
      }
    }),
  );

  it(
    "gzip is understood, as etcd understands it",
    withClient({}, async (client) => {
      client.call(1, unaryPath, [["grpc-encoding", "gzip"]]);
      client.data(1, grpcMessage(gzipSync(Buffer.from("compressed")), 1), true);
      assert.deepEqual(grpcMessages((await client.answer(1)).body), [Buffer.from("compressed")]);
      client.call(3, unaryPath, [["grpc-encoding", "gzip"]]);
      client.data(3, grpcMessage(Buffer.from("plain"), 0), true);
      assert.deepEqual(grpcMessages((await client.answer(3)).body), [Buffer.from("plain")]);
    }),
  );

  it(
    "what gzip makes is bounded",
    withClient({}, async (client) => {
      client.call(1, unaryPath, [["grpc-encoding", "gzip"]]);
      client.data(1, grpcMessage(gzipSync(Buffer.alloc(10_000_000)), 1), true);
      const { trailers } = await client.answer(1);
      assert.equal(trailers["grpc-status"], "8");
      assert.equal(
        trailers["grpc-message"],
        "grpc: received message after decompression larger than max 65536",
      );
      client.call(3, unaryPath, [["grpc-encoding", "gzip"]]);
      client.data(3, grpcMessage(Buffer.from("not gzip"), 1), true);
      assert.equal((await client.answer(3)).trailers["grpc-status"], "13");
    }),
  );

  it(
    "a client with a small header table gets answers that do without",
    withClient({}, async (client) => {
      client.unary(1, unaryPath, Buffer.from("a"));
      await client.answer(1);
      client.settings([[1, 0]]);
      for (const id of [3, 5]) {
        client.unary(id, unaryPath, Buffer.from("b"));
        const answer = await client.answer(id);
        assert.deepEqual(answer.headers, { ":status": "200", "content-type": "application/grpc" });
        assert.deepEqual(answer.trailers, { "grpc-status": "0" });
      }
      const blocks = client.frames.filter(({ type, streamId }) => type === 1 && streamId === 3);
      assert.equal(blocks[0]!.payload[0], 0x20, "the table is emptied first");
    }),
  );
});

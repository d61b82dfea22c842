import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { GrpcCall, GrpcHandler } from "../grpc.ts";
import { ErrorCode } from "../http2/protocol.ts";
import {
  grpcFields,
  grpcMessage,
  grpcMessages,
  RawClient,
  requestFields,
  uint32,
} from "../testing/raw-client.ts";
import { TestServer, testRoutes } from "../testing/test-server.ts";
import { waitFor } from "../testing/wait-for.ts";
import { assertServes, unaryPath, withClient } from "../testing/with-client.ts";

const streamPath = "/test.Echo/Stream";
const hangPath = "/test.Echo/Hang";

/** Opens call 1, sends what it is told, and returns how it ended. */
async function outcome(
  client: RawClient,
  path: string,
  body: Uint8Array,
  fields: readonly (readonly [string, string])[] = [],
): Promise<string> {
  client.call(1, path, fields);
  client.data(1, body, true);
  const { status, trailers } = await client.answer(1);
  return `${status} ${trailers["grpc-status"]} ${trailers["grpc-message"] ?? ""}`;
}

/** A handler whose calls a test can get hold of. */
function catching(calls: GrpcCall[]): ReadonlyMap<string, GrpcHandler> {
  return new Map<string, GrpcHandler>([
    ...testRoutes,
    ["/test.Echo/Catch", { kind: "single", onRequest: (call) => void calls.push(call) }],
    [
      "/test.Echo/CatchStream",
      {
        kind: "stream",
        open(call) {
          calls.push(call);
          return { onMessage() {}, onHalfClose() {} };
        },
      },
    ],
  ]);
}

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
      { routes: catching(calls) },
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

describe("a refused call", () => {
  const message = grpcMessage(Buffer.from("x"));
  const compressed = grpcMessage(Buffer.of(1), 1);
  type Fields = readonly (readonly [string, string])[];
  const hosts: Fields = [
    ["host", "a"],
    ["host", "b"],
  ];
  const badTimeout = 'transport: timeout unit is not recognized: "1x"';
  const identityText = "grpc: compressed flag set with identity or empty encoding";
  const hostsText =
    "num values of :authority: 1, num values of host: 2, both must only have 1 value as per HTTP/2 spec";
  const base64Text = 'malformed binary metadata "YQ=" in header "x-bin": illegal base64 data at input byte 2';
  const snappyText = 'grpc: Decompressor is not installed for grpc-encoding "snappy"';
  const cases: readonly (readonly [string, string, Uint8Array, Fields, string])[] = [
    ["an unknown method", "/test.Echo/None", message, [], "200 12 unknown method None for service test.Echo"],
    ["an unknown service", "/test.No/None", message, [], "200 12 unknown service test.No"],
    ["a malformed path", "/none", message, [], '200 12 malformed method name: "/none"'],
    ["a path without a slash", "none", message, [], '200 12 malformed method name: "none"'],
    ["no message", unaryPath, Buffer.alloc(0), [], "200 2 EOF"],
    ["part of a prefix", unaryPath, Buffer.of(0, 0), [], "200 2 EOF"],
    ["part of a message", unaryPath, Buffer.of(0, 0, 0, 0, 9, 1), [], "200 2 unexpected EOF"],
    ["part of a message in a stream", streamPath, Buffer.of(0, 0), [], "200 13 unexpected EOF"],
    [
      "an unknown flag",
      unaryPath,
      grpcMessage(message, 2),
      [],
      "200 13 grpc: received unexpected payload format 2",
    ],
    ["compression without encoding", unaryPath, compressed, [], `200 13 ${identityText}`],
    [
      "compression with identity",
      unaryPath,
      compressed,
      [["grpc-encoding", "identity"]],
      `200 13 ${identityText}`,
    ],
    ["an unknown encoding", unaryPath, message, [["grpc-encoding", "snappy"]], `200 12 ${snappyText}`],
    [
      "a bad timeout",
      unaryPath,
      message,
      [["grpc-timeout", "1x"]],
      `400 13 malformed grpc-timeout: ${badTimeout}`,
    ],
    ["no time at all", unaryPath, message, [["grpc-timeout", "0S"]], "200 4 context deadline exceeded"],
    ["bad base64", unaryPath, message, [["x-bin", "YQ="]], `400 13 ${base64Text}`],
    ["two hosts", unaryPath, message, hosts, `400 13 ${hostsText}`],
    ["a connection header", unaryPath, message, [["connection", "close"]], "undefined undefined "],
  ];
  for (const [what, path, body, fields, expected] of cases) {
    it(
      `for ${what}`,
      withClient({}, async (client) => {
        assert.equal(await outcome(client, path, body, fields), expected);
        await assertServes(client, 3);
      }),
    );
  }

  it(
    "for a message larger than allowed, as soon as that is known",
    withClient({}, async (client) => {
      client.call(1, unaryPath);
      client.data(1, Buffer.concat([Buffer.of(0), uint32(65_537)]), false);
      const { trailers } = await client.answer(1);
      assert.equal(trailers["grpc-status"], "8");
      assert.equal(trailers["grpc-message"], "grpc: received message larger than max (65537 vs. 65536)");
      await assertServes(client, 3);
    }),
  );

  it(
    "for another content-type that begins like gRPC's",
    withClient({}, async (client) => {
      client.headers(1, [...requestFields("POST", unaryPath), ["content-type", "application/grpcx"]], true);
      const { headers } = await client.answer(1);
      assert.equal(headers[":status"], "415");
      assert.equal(headers["grpc-message"], 'invalid gRPC request content-type "application/grpcx"');
    }),
  );

  it(
    "for another method than POST",
    withClient({}, async (client) => {
      client.headers(1, [...requestFields("GET", unaryPath), ["content-type", "application/grpc"]], true);
      const { headers } = await client.answer(1);
      assert.equal(headers[":status"], "405");
      assert.equal(
        headers["grpc-message"],
        'Received a HEADERS frame with :method "GET" which should be POST',
      );
    }),
  );

  it(
    "without any host",
    withClient({}, async (client) => {
      client.headers(
        1,
        grpcFields(unaryPath).filter(([name]) => name !== ":authority"),
        true,
      );
      const { headers } = await client.answer(1);
      assert.equal(headers[":status"], "400");
      assert.equal(headers["grpc-message"], "no host or :authority header present");
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
      { routes: catching(calls) },
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
      { routes: catching(calls) },
    )();
  });

  it("ends when its producer never waits", async () => {
    const calls: GrpcCall[] = [];
    const server = await TestServer.start({ routes: catching(calls) });
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

describe("cancellation", () => {
  it("by RST_STREAM, by the end of the connection, and by the deadline", async () => {
    const calls: GrpcCall[] = [];
    await withClient(
      {},
      async (client, server) => {
        const cancelled: string[] = [];
        client.unary(1, "/test.Echo/Catch", Buffer.alloc(0));
        await waitFor("the call", () => calls.length === 1);
        calls[0]!.onCancel(() => cancelled.push("reset"));
        client.reset(1);
        await waitFor("the reset", () => calls[0]!.cancelled);
        calls[0]!.respond(Buffer.alloc(1));

        client.call(3, "/test.Echo/Catch", [["grpc-timeout", "30m"]]);
        client.data(3, grpcMessage(Buffer.alloc(0)), true);
        await waitFor("the call", () => calls.length === 2);
        calls[1]!.onCancel(() => cancelled.push("deadline"));
        assert.ok(calls[1]!.timeoutMs! <= 30 && calls[1]!.timeoutMs! > 0);
        const { trailers } = await client.answer(3);
        assert.equal(trailers["grpc-status"], "4");
        assert.equal(trailers["grpc-message"], "context deadline exceeded");

        client.call(5, "/test.Echo/CatchStream");
        await waitFor("the call", () => calls.length === 3);
        calls[2]!.onCancel(() => cancelled.push("closed"));
        client.destroy();
        await waitFor("the close", () => calls[2]!.cancelled);
        calls[2]!.onCancel(() => cancelled.push("at once"));
        calls[2]!.write(Buffer.alloc(10));
        assert.deepEqual(cancelled, ["reset", "deadline", "closed", "at once"]);
        const { handled } = server.server.methods.get("/test.Echo/Catch")!.counters;
        assert.deepEqual([handled[1], handled[4]], [1, 1]);
        assert.equal(server.server.counters.streamsReset, 1);
      },
      { routes: catching(calls) },
    )();
  });

  it(
    "of a call whose answer is half sent resets it",
    withClient({}, async (client) => {
      client.call(1, "/test.Echo/Blob", [["grpc-timeout", "50m"]]);
      client.data(1, grpcMessage(Buffer.from("1000000")), true);
      // The answer is complete for the handler, so the deadline no longer matters.
      client.windowUpdate(0, 10_000_000);
      client.windowUpdate(1, 10_000_000);
      assert.equal((await client.answer(1)).body.length, 1_000_005);
      await assertServes(client, 3);
    }),
  );

  it("by the deadline while a streaming answer waits resets it", async () => {
    const calls: GrpcCall[] = [];
    await withClient(
      {},
      async (client) => {
        client.call(1, "/test.Echo/CatchStream", [["grpc-timeout", "50m"]]);
        await waitFor("the call", () => calls.length === 1);
        calls[0]!.write(Buffer.alloc(100_000));
        assert.equal(await client.resetCode(1), ErrorCode.cancel);
        assert.equal(calls[0]!.cancelled, true);
        client.windowUpdate(0, 100_000);
        await assertServes(client, 3);
      },
      { routes: catching(calls) },
    )();
  });

  it("does not come after the answer", async () => {
    const calls: GrpcCall[] = [];
    await withClient(
      {},
      async (client) => {
        client.call(1, "/test.Echo/Catch", [["grpc-timeout", "20m"]]);
        client.data(1, grpcMessage(Buffer.alloc(0)), true);
        await waitFor("the call", () => calls.length === 1);
        calls[0]!.respond(Buffer.from("in time"));
        await client.answer(1);
        await new Promise((resolve) => setTimeout(resolve, 50));
        assert.equal(calls[0]!.cancelled, false);
        client.unary(3, hangPath, Buffer.alloc(0));
        client.reset(3);
        await client.sync();
      },
      { routes: catching(calls) },
    )();
  });
});

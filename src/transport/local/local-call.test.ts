import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { EndedCall, GrpcCall, GrpcHandler, GrpcRoutes } from "../grpc.ts";
import { CallRecords } from "../grpc-server/call-records.ts";
import { joinParts, LocalCall, localHighWaterBytes, localPendingMaxBytes } from "./local-call.ts";

const path = "/test.Service/Method";
const metadata = { get: () => undefined, entries: () => [] };
const peer = { address: "test", secure: false };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function open(handler: GrpcHandler, more: { path?: string; timeoutMs?: number } = {}): LocalCall {
  const routes: GrpcRoutes = new Map([[path, handler]]);
  return new LocalCall(routes, { path, metadata, peer, ...more });
}
const single = (onRequest: (call: GrpcCall, message: Uint8Array) => void): GrpcHandler => ({
  kind: "single",
  onRequest,
});
const refusal = (code: GrpcCode, message: RegExp) => (error: unknown) =>
  error instanceof EtcdError && error.code === code && message.test(error.message);

describe("a call from this process", () => {
  it("brings a message to its handler and the answer back", async () => {
    const call = open(single((c, message) => c.respondParts([bytes("<"), message, bytes(">")])));
    await call.send(bytes("hello"));
    assert.equal(new TextDecoder().decode(joinParts((await call.next())!)), "<hello>");
    assert.equal(await call.next(), undefined);
  });

  it("fails as its handler does, also when that throws", async () => {
    const failing = open(single((c) => c.fail(new EtcdError(GrpcCode.notFound, "no such thing"))));
    await failing.send(bytes(""));
    await assert.rejects(failing.next(), refusal(GrpcCode.notFound, /no such thing/));
    const throwing = open(
      single(() => {
        throw new Error("broken");
      }),
    );
    await throwing.send(bytes(""));
    await assert.rejects(throwing.next(), refusal(GrpcCode.unknown, /broken/));
  });

  it("says what is not served as grpc-go says it", async () => {
    const handler = single((c) => c.end());
    const method = open(handler, { path: "/test.Service/Other" });
    await method.send(bytes(""));
    await assert.rejects(
      method.next(),
      refusal(GrpcCode.unimplemented, /^unknown method Other for service test.Service$/),
    );
    const service = open(handler, { path: "/test.Other/Method" });
    await service.send(bytes(""));
    await assert.rejects(service.next(), refusal(GrpcCode.unimplemented, /^unknown service test.Other$/));
  });

  it("without a message ends as gRPC's do", async () => {
    const call = open(single((c) => c.end()));
    call.halfClose();
    await assert.rejects(call.next(), refusal(GrpcCode.unknown, /^EOF$/));
  });

  it("hands on answers in order and then the status", async () => {
    let handlerCall: GrpcCall | undefined;
    const call = open(
      single((c) => {
        handlerCall = c;
        c.write(bytes("1"));
      }),
    );
    await call.send(bytes(""));
    assert.deepEqual(await call.next(), [bytes("1")]);
    const waiting = call.next();
    handlerCall!.write(bytes("2"));
    handlerCall!.write(bytes("3"));
    handlerCall!.fail(new EtcdError(GrpcCode.aborted, "enough"));
    assert.deepEqual(await waiting, [bytes("2")]);
    assert.deepEqual(await call.next(), [bytes("3")]);
    await assert.rejects(call.next(), refusal(GrpcCode.aborted, /enough/));
  });

  it("tells a producer when to wait and when to go on", async () => {
    let drained = 0;
    let isRoomy = true;
    const call = open(
      single((c) => {
        c.onDrain(() => drained++);
        for (let i = 0; i < 4; i++) isRoomy = c.write(new Uint8Array(localHighWaterBytes / 4));
      }),
    );
    await call.send(bytes(""));
    assert.equal(isRoomy, false);
    assert.equal(call.pendingBytes, localHighWaterBytes);
    await call.next();
    await call.next();
    assert.equal(drained, 0);
    await call.next();
    assert.equal(drained, 1);
  });

  it("ends a producer that does not wait", async () => {
    let cancelled = 0;
    const piece = new Uint8Array(1024 * 1024);
    const call = open(
      single((c) => {
        c.onCancel(() => cancelled++);
        while (!c.cancelled && c.pendingBytes <= 2 * localPendingMaxBytes) c.write(piece);
      }),
    );
    await call.send(bytes(""));
    assert.equal(cancelled, 1);
    await assert.rejects(call.next(), refusal(GrpcCode.resourceExhausted, /does not read/));
  });

  it("makes the client wait while its handler has paused", async () => {
    const got: string[] = [];
    let handlerCall: GrpcCall | undefined;
    const call = open({
      kind: "stream",
      open: (c) => {
        handlerCall = c;
        return {
          onMessage(message) {
            got.push(new TextDecoder().decode(message));
            c.pause();
          },
          onHalfClose: () => c.end(),
        };
      },
    });
    await call.send(bytes("1"));
    let sent = false;
    const second = call.send(bytes("2")).then(() => {
      sent = true;
    });
    await Promise.resolve();
    assert.equal(sent, false);
    handlerCall!.resume();
    await second;
    assert.deepEqual(got, ["1", "2"]);
    call.halfClose();
    assert.equal(await call.next(), undefined);
  });

  it("tells its handler that the client has gone", async () => {
    let cancelled = 0;
    const call = open(single((c) => c.onCancel(() => cancelled++)));
    await call.send(bytes(""));
    call.cancel();
    call.cancel();
    assert.equal(cancelled, 1);
    await assert.rejects(call.next(), refusal(GrpcCode.canceled, /context canceled/));
  });

  it("ends at its deadline", async () => {
    let cancelled = 0;
    const call = open(
      single((c) => c.onCancel(() => cancelled++)),
      { timeoutMs: 5 },
    );
    assert.ok(call.timeoutMs! <= 5);
    await call.send(bytes(""));
    await assert.rejects(call.next(), refusal(GrpcCode.deadlineExceeded, /context deadline exceeded/));
    assert.equal(cancelled, 1);
    const late = open(
      single(() => assert.fail("reached its handler")),
      { timeoutMs: 1e-6 },
    );
    await late.send(bytes(""));
    await assert.rejects(late.next(), refusal(GrpcCode.deadlineExceeded, /context deadline exceeded/));
  });
});

describe("a call that is counted", () => {
  it("counts like one that came by gRPC", async () => {
    const slow: string[] = [];
    const times = {
      now: () => 0,
      histogramOf: () => undefined,
      slowMs: -1,
      onSlow: ({ path, request, response }: EndedCall) =>
        slow.push(`${path} ${request.length} ${response.length}`),
    };
    const answers: GrpcRoutes = new Map([
      ["/a/Echo", single((call, message) => call.respond(message))],
      ["/a/Refuse", single((call) => call.fail(new EtcdError(GrpcCode.notFound, "no")))],
    ]);
    const records = new CallRecords(answers.keys(), times);
    for (const path of ["/a/Echo", "/a/Echo", "/a/Refuse", "/a/None"]) {
      const call = new LocalCall(answers, { path, metadata, peer, records });
      await call.send(new Uint8Array(3));
      await call.next().catch(() => {});
    }
    const echo = records.methods.get("/a/Echo")!.counters;
    assert.deepEqual([echo.started, echo.messagesReceived, echo.messagesSent], [2, 2, 2]);
    assert.equal(echo.handled[GrpcCode.ok], 2);
    const refuse = records.methods.get("/a/Refuse")!.counters;
    assert.deepEqual([refuse.started, refuse.messagesSent, refuse.handled[GrpcCode.notFound]], [1, 0, 1]);
    assert.deepEqual(records.bytes, { receivedBytes: 9, sentBytes: 6 });
    assert.deepEqual(slow, ["/a/Echo 3 1", "/a/Echo 3 1", "/a/Refuse 3 0"]);
  });
});

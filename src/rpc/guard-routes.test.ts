import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Metrics } from "../lib/metrics.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import type { GrpcCall, StreamRequestHandler } from "../transport/grpc.ts";
import { ClientRequests } from "./client-requests.ts";
import { RouteGuard } from "./guard-routes.ts";

describe("streams of clients that require a leader", () => {
  function setUp() {
    const clock = new FakeClock();
    const server = {
      servesAll: true,
      isLearner: false,
      hasLeader: true,
      auth: { isAwaited: false },
      electionTimeoutMs: 1000,
      after: clock.after.bind(clock),
    };
    const guard = new RouteGuard(server, new ClientRequests(new Metrics()));
    const handler: StreamRequestHandler = {
      kind: "stream",
      open: () => ({ onMessage() {}, onHalfClose() {} }),
    };
    const guarded = guard.guard(handler, "all") as StreamRequestHandler;
    const open = () => {
      const call = {
        metadata: { get: (name: string) => (name === "hasleader" ? "true" : undefined), entries: () => [] },
        cancelled: false,
        isOver: false,
        failed: 0,
        onCancel() {},
        fail: () => call.failed++,
      };
      guarded.open(call as unknown as GrpcCall);
      return call;
    };
    return { clock, server, guard, open };
  }

  it("end when there has been none for a while", async () => {
    const { clock, server, open } = setUp();
    const call = open();
    await clock.advance(5_000);
    assert.equal(call.failed, 0);
    server.hasLeader = false;
    await clock.advance(3_000);
    assert.equal(call.failed, 1);
  });

  it("are forgotten when they are over", async () => {
    const { clock, guard, open } = setUp();
    const calls = [open(), open(), open()];
    await clock.advance(1_000);
    assert.equal(guard.watched, 3);
    calls[0]!.isOver = true;
    calls[1]!.cancelled = true;
    await clock.advance(1_000);
    assert.equal(guard.watched, 1);
    calls[2]!.isOver = true;
    await clock.advance(1_000);
    assert.deepEqual([guard.watched, clock.pendingTimers], [0, 0]);
  });
});

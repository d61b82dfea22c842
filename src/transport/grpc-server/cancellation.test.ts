import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GrpcCall } from "../grpc.ts";
import { ErrorCode } from "../http2/protocol.ts";
import { catchingRoutes } from "../testing/catching-routes.ts";
import { grpcMessage } from "../testing/raw-client.ts";
import { waitFor } from "../testing/wait-for.ts";
import { assertServes, withClient } from "../testing/with-client.ts";

const hangPath = "/test.Echo/Hang";

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
      { routes: catchingRoutes(calls) },
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
      { routes: catchingRoutes(calls) },
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
        // A call with a later deadline: when that one has fired, the first one's would have, too.
        client.call(3, hangPath, [["grpc-timeout", "60m"]]);
        client.data(3, grpcMessage(Buffer.alloc(0)), true);
        assert.equal((await client.answer(3)).trailers["grpc-status"], "4");
        assert.equal(calls[0]!.cancelled, false);
      },
      { routes: catchingRoutes(calls) },
    )();
  });
});

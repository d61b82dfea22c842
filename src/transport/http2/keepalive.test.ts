import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RawClient } from "../testing/raw-client.ts";
import { TestServer, testLimits } from "../testing/test-server.ts";
import { waitFor } from "../testing/wait-for.ts";
import { unaryPath, withClient } from "../testing/with-client.ts";
import { ErrorCode } from "./protocol.ts";

async function tooManyPings(client: RawClient): Promise<void> {
  const { code, text } = await client.goaway();
  assert.deepEqual([code, text], [ErrorCode.enhanceYourCalm, "too_many_pings"]);
  await client.closed();
}

function pingAnswers(client: RawClient): number {
  return client.frames.filter(({ type, flags }) => type === 6 && flags === 1).length;
}

describe("a client's pings", () => {
  it(
    "are answered; the first is free, the fourth too close to it ends the connection",
    withClient({}, async (client) => {
      client.unary(1, "/test.Echo/Hang", Buffer.alloc(0));
      for (let count = 0; count < 3; count++) client.ping();
      await client.until("answers", () => pingAnswers(client) === 3 || undefined);
      client.ping();
      await tooManyPings(client);
    }),
  );

  it(
    "are forgiven when something was sent in between",
    withClient({}, async (client) => {
      for (let id = 1; id < 41; id += 2) {
        client.unary(id, unaryPath, Buffer.alloc(0));
        await client.answer(id);
        for (let count = 0; count < 2; count++) client.ping();
      }
      await client.until("answers", () => pingAnswers(client) === 40 || undefined);
    }),
  );

  it("may come as often as allowed while there is a call", async () => {
    const limits = { ...testLimits, keepaliveMinTimeMs: 10 };
    await withClient(
      {},
      async (client) => {
        client.unary(1, "/test.Echo/Hang", Buffer.alloc(0));
        for (let count = 0; count < 8; count++) {
          client.ping();
          await client.until("the answer", () => pingAnswers(client) === count + 1 || undefined);
          await new Promise((resolve) => setTimeout(resolve, 15));
        }
      },
      { limits },
    )();
  });

  it("are too many without a call, whatever their distance: etcd does not permit them", async () => {
    const limits = { ...testLimits, keepaliveMinTimeMs: 1 };
    await withClient(
      {},
      async (client) => {
        for (let count = 0; count < 4; count++) {
          client.ping();
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        await tooManyPings(client);
      },
      { limits },
    )();
  });
});

describe("our pings", () => {
  const limits = { ...testLimits, keepaliveIntervalMs: 40, keepaliveTimeoutMs: 40 };

  it("wait a little longer for an answer that came while the whole process stood still", async () => {
    const server = await TestServer.start({ limits });
    const client = await RawClient.open(server.port);
    for (let seen = 0; seen < 2; seen++) {
      const ping = await client.until(
        "a ping",
        () => client.frames.filter(({ type, flags }) => type === 6 && flags === 0)[seen],
      );
      client.frame(6, 1, 0, ping.payload);
      // The answer is on its way when both the timeout and this pause are over.
      const end = performance.now() + 120;
      while (performance.now() < end);
    }
    await client.until(
      "one more",
      () => client.frames.filter(({ type }) => type === 6).length > 2 || undefined,
    );
    assert.deepEqual(server.errors, []);
    client.destroy();
    await server.stop();
  });

  it("come to a silent connection, and an unanswered one ends it", async () => {
    const server = await TestServer.start({ limits });
    const client = await RawClient.open(server.port);
    await client.until("a ping", () => client.frames.find(({ type, flags }) => type === 6 && flags === 0));
    await client.closed();
    assert.deepEqual(server.errors, ["keepalive ping not answered in time"]);
    await server.stop();
  });

  it("leave a connection alone that answers", async () => {
    const server = await TestServer.start({ limits: { ...limits, keepaliveTimeoutMs: 400 } });
    const client = await RawClient.open(server.port);
    let answered = 0;
    await client.until("three pings", () => {
      const pings = client.frames.filter(({ type, flags }) => type === 6 && flags === 0);
      for (; answered < pings.length; answered++) client.frame(6, 1, 0, pings[answered]!.payload);
      return answered >= 3 || undefined;
    });
    assert.deepEqual(server.errors, []);
    client.destroy();
    await waitFor("the connection to be gone", () => server.server.counters.openHttp2Connections === 0);
    await server.stop();
  });
});

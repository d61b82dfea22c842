import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Channel } from "../../client/channel.ts";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import { metadataOf, Upstream } from "./upstream.ts";

const nobody = { onMessage: () => true, onEnd: () => {} };

async function withUpstream(body: (upstream: Upstream) => Promise<void>): Promise<void> {
  const channel = new Channel(["127.0.0.1:1"]);
  try {
    await body(new Upstream(channel, { connectWaitMs: 50 }));
  } finally {
    channel.close();
  }
}

const hasCode = (code: GrpcCode) => (error: unknown) => error instanceof EtcdError && error.code === code;

describe("calls to servers behind the proxy", () => {
  it("are Unavailable when no server can be reached for some time, and are ended by who asked", async () => {
    await withUpstream(async (upstream) => {
      const waiting = upstream.open("/a/B", nobody, { metadata: [] });
      await assert.rejects(waiting, hasCode(GrpcCode.unavailable));
      const signal = AbortSignal.abort();
      await assert.rejects(
        upstream.open("/a/B", nobody, { metadata: [], signal }),
        hasCode(GrpcCode.canceled),
      );
    });
  });

  it("are limited in number and in bytes", async () => {
    await withUpstream(async (upstream) => {
      const leave = upstream.enter(512 * 1024 * 1024);
      assert.throws(() => upstream.enter(1), hasCode(GrpcCode.resourceExhausted));
      leave();
      const left = Array.from({ length: 65_536 }, () => upstream.enter(1));
      assert.throws(() => upstream.enter(1), hasCode(GrpcCode.resourceExhausted));
      for (const one of left) one();
      assert.equal(upstream.calls, 0);
    });
  });

  it("carry a client's metadata, and not what belongs to its connection", () => {
    const entries: [string, string][] = [
      [":authority", "a"],
      ["user-agent", "someone"],
      ["grpc-accept-encoding", "gzip"],
      ["token", "t"],
      ["hasleader", "true"],
      ["trace-bin", "\x00\xff"],
    ];
    const metadata = { get: (name: string) => new Map(entries).get(name), entries: () => entries };
    assert.deepEqual(metadataOf(metadata), [
      ["token", "t"],
      ["hasleader", "true"],
      ["trace-bin", "AP8="],
    ]);
  });
});

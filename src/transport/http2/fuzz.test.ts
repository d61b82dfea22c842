import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "../../lib/prng.ts";
import { encodeFields } from "../hpack/encoder.ts";
import {
  frameBytes,
  grpcFields,
  grpcMessage,
  RawClient,
  requestFields,
  uint32,
} from "../testing/raw-client.ts";
import { TestServer } from "../testing/test-server.ts";
import { waitFor } from "../testing/wait-for.ts";
import { assertServes } from "../testing/with-client.ts";
import { clientPreface } from "./protocol.ts";

const paths = ["Unary", "Stream", "Blob", "Parts", "Hang", "Fail", "None"];

function randomBytes(prng: Prng, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => prng.below(256)));
}

/** A frame that could be one of a client's, or almost. */
function randomFrame(prng: Prng): Buffer {
  const streamId = prng.chance(0.9) ? 1 + 2 * prng.below(12) : prng.below(30);
  const flags = prng.chance(0.8) ? prng.pick([0, 1, 4, 5]) : prng.below(256);
  switch (prng.below(12)) {
    case 0:
    case 1:
    case 2: {
      const fields = prng.chance(0.7)
        ? grpcFields(`/test.Echo/${prng.pick(paths)}`)
        : requestFields(prng.pick(["GET", "POST"]), "/");
      const timeout = prng.chance(0.2) ? [["grpc-timeout", `${prng.below(20)}m`] as const] : [];
      const block = encodeFields([...fields, ...timeout]);
      const cut = prng.chance(0.9) ? block.length : prng.below(block.length);
      return frameBytes(1, prng.chance(0.9) ? flags | 4 : flags, streamId, block.subarray(0, cut));
    }
    case 3:
    case 4: {
      const text = prng.pick(["1", "100000", "throw-etcd", ""]);
      const message = grpcMessage(Buffer.from(text), prng.chance(0.95) ? 0 : prng.below(4));
      return frameBytes(
        0,
        flags,
        streamId,
        message.subarray(0, prng.chance(0.8) ? undefined : prng.below(8)),
      );
    }
    case 5:
      return frameBytes(3, flags, streamId, uint32(prng.below(20)));
    case 6: {
      const value = prng.pick([0, 1, 100, 65_535, 2 ** 31 - 1]);
      const id = prng.pick([1, 3, 4, 4, 5, 6, 99]);
      return frameBytes(4, prng.chance(0.9) ? 0 : flags, 0, Buffer.concat([Buffer.of(0, id), uint32(value)]));
    }
    case 7:
    case 8:
      return frameBytes(
        8,
        0,
        prng.chance(0.5) ? 0 : streamId,
        uint32(prng.pick([0, 1, 1000, 100_000, 2 ** 31 - 1])),
      );
    case 9:
      return frameBytes(9, flags, streamId, randomBytes(prng, prng.below(20)));
    case 10:
      return frameBytes(2, 0, streamId, randomBytes(prng, prng.chance(0.9) ? 5 : prng.below(8)));
    default:
      return frameBytes(prng.below(256), flags, streamId, randomBytes(prng, prng.below(40)));
  }
}

describe("random frames", () => {
  it("never make anything fail but their own connection", async () => {
    const seed = Number(process.env["SEED"] ?? Date.now());
    const prng = new Prng(seed);
    const server = await TestServer.start({ fetch: async (request) => new Response(await request.text()) });
    for (let round = 0; round < 150; round++) {
      const client = await RawClient.plain(server.port);
      client.send(clientPreface);
      client.settings([]);
      const frames = Array.from({ length: 1 + prng.below(60) }, () => randomFrame(prng));
      let bytes = Buffer.concat(frames);
      if (prng.chance(0.1)) bytes = bytes.subarray(0, prng.below(bytes.length));
      for (let at = 0; at < bytes.length && !client.isClosed; ) {
        const end = at + 1 + prng.below(prng.chance(0.3) ? 50 : 4_000);
        client.send(bytes.subarray(at, end));
        at = end;
        if (prng.chance(0.3)) await new Promise((resolve) => setImmediate(resolve));
      }
      if (prng.chance(0.5)) await new Promise((resolve) => setTimeout(resolve, 1));
      client.destroy();
      assert.deepEqual(server.faults, [], `seed ${seed}, round ${round}`);
    }
    await waitFor("all to be gone", () => server.server.counters.openHttp2Connections === 0);
    const client = await RawClient.open(server.port);
    await assertServes(client, 1);
    client.destroy();
    // Whatever was kept for requests was let go.
    assert.equal(server.server.heldRequestBytes, 0, `seed ${seed}`);
    await server.stop();
  });
});

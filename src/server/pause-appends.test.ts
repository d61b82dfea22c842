/** A member whose store cannot keep up asks the others for no more, until it has caught up. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Generation } from "../backend/backend.ts";
import { MemoryBackend } from "../backend/memory/memory-backend.ts";
import { noPeers } from "./peers.ts";
import { startTestServer, testSettings } from "./testing/test-server.ts";

/** Writes when it is let. */
class HeldBackend extends MemoryBackend {
  #gate: PromiseWithResolvers<void> | undefined;

  hold(): void {
    this.#gate = Promise.withResolvers();
  }

  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  override async write(generation: Generation): Promise<void> {
    await this.#gate?.promise;
    return super.write(generation);
  }
}

describe("a store that is slow", () => {
  it("has appends of the leader paused while its overlay is full, and no longer", async () => {
    const told: string[] = [];
    const peers = {
      ...noPeers,
      pauseAppends: () => told.push("pause"),
      resumeAppends: () => told.push("resume"),
    };
    const backend = new HeldBackend({});
    const test = await startTestServer({ backend, connect: () => peers });
    await test.pass(200);
    told.length = 0;
    backend.hold();
    const { overlayBytesMax } = testSettings.storeLimits;
    const puts: Promise<unknown>[] = [];
    for (let i = 0; i * 900 < 3 * overlayBytesMax; i++) puts.push(test.put(`key${i}`, "v".repeat(900)));
    await test.pass(500);
    assert.deepEqual(told, ["pause"]);
    backend.release();
    await Promise.all(puts);
    await test.pass(500);
    assert.equal(told.at(-1), "resume");
    assert.equal(told.filter((word) => word === "pause").length * 2, told.length);
    assert.deepEqual(test.fatal, []);
  });
});

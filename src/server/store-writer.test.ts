import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Generation } from "../backend/backend.ts";
import { MemoryBackend } from "../backend/memory/memory-backend.ts";
import { emptyPutRequest } from "../codec/put.ts";
import type { RaftIndex, Term } from "../lib/ids.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { MvccStore } from "../mvcc/store.ts";
import { StoreWriter } from "./store-writer.ts";

/** Writes when it is told to, or fails to. */
class HeldBackend extends MemoryBackend {
  settle: (error?: Error) => Promise<void> = async () => {};

  override write(generation: Generation): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settle = async (error) => {
        if (error) reject(error);
        else resolve(super.write(generation));
        await new Promise((later) => setImmediate(later));
      };
    });
  }
}

function setUp() {
  const backend = new HeldBackend({});
  const store = new MvccStore({ backend, leases: { has: () => false } });
  const clock = new FakeClock();
  const fatal: string[] = [];
  const writer = new StoreWriter({
    store,
    backend,
    clock,
    limits: { generationBytes: 1000, generationDelayMs: 50, overlayBytesMax: 10_000 },
    onFatal: (error) => fatal.push(error.message),
    onFull: () => {},
    onRoom: () => {},
    onWritten: () => {},
    onCommitTime: () => {},
    note: () => {},
  });
  const request = { ...emptyPutRequest(), key: new TextEncoder().encode("k") };
  let index = 0;
  const put = () => {
    store.applyPut(request, ++index as RaftIndex, 1 as Term);
    writer.applied();
  };
  return { backend, writer, fatal, put };
}

const full = new Error("no space left");

describe("a store's writer", () => {
  it("lets those go who wait, when a generation cannot be written", async () => {
    const { backend, writer, fatal, put } = setUp();
    put();
    const flushed = assert.rejects(writer.flush(), full);
    const stopped = writer.stop();
    await backend.settle(full);
    await flushed;
    await stopped;
    assert.deepEqual(fatal, ["no space left"]);
    await assert.rejects(writer.hold(), full);
    await writer.halt();
  });

  it("holds nothing up once another store has taken its place", async () => {
    const { backend, writer, put } = setUp();
    put();
    const before = writer.hold();
    put();
    const halted = writer.halt();
    const after = writer.hold();
    await backend.settle();
    await halted;
    for (const release of [await before, await after]) release();
  });
});

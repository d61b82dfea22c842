import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import type { EtcdError } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import { type SnapshotResponse, SnapshotResponseSchema } from "../../gen/etcdserverpb/rpc_pb.ts";
import { silentLogger } from "../../lib/logger.ts";
import { finish, type Steps } from "../../lib/steps.ts";
import type { DatabaseSnapshot, SnapshotReader } from "../../server/snapshot/database-snapshot.ts";
import type { GrpcCall } from "../../transport/grpc.ts";
import type { MaintenanceSource } from "../rpc-server.ts";
import { snapshotHandler } from "./snapshot.ts";

/** A call whose peer takes only so many messages before it must be asked again. */
class TestCall {
  readonly messages: SnapshotResponse[] = [];
  readonly peer = { address: "", secure: false };
  cancelled = false;
  ended = false;
  error: EtcdError | undefined;
  room: number;
  #onDrain = () => {};
  #onCancel = () => {};

  constructor(room = Number.POSITIVE_INFINITY) {
    this.room = room;
  }

  write(message: Uint8Array): boolean {
    this.messages.push(fromBinary(SnapshotResponseSchema, message));
    return --this.room > 0;
  }

  end(): void {
    this.ended = true;
  }

  fail(error: EtcdError): void {
    this.error ??= error;
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  onCancel(callback: () => void): void {
    this.#onCancel = callback;
  }

  drain(room: number): void {
    this.room = room;
    this.#onDrain();
  }

  cancel(): void {
    this.cancelled = true;
    this.#onCancel();
  }
}

interface TestSource {
  readonly source: MaintenanceSource;
  /** How many chunks were made. */
  made: number;
  closed: number;
  reader: SnapshotReader | undefined;
}

const chunkBytes = 1000;

/** A server with a snapshot of `count` chunks, which goes wrong at one of them if told to. */
function sourceOf(count: number, failure?: { readonly at: number; readonly error: Error }): TestSource {
  const test = { made: 0, closed: 0 } as { -readonly [Key in keyof TestSource]: TestSource[Key] };
  function* chunks(): Generator<Uint8Array | undefined, void, undefined> {
    for (let i = 0; i < count; i++) {
      if (failure?.at === i) throw failure.error;
      test.made++;
      yield undefined;
      yield new Uint8Array(chunkBytes).fill(i);
    }
  }
  const snapshot = {
    totalBytes: count * chunkBytes,
    chunks: chunks(),
    close: () => {
      test.closed++;
    },
  };
  test.source = {
    versions: { server: "3.7.3", storage: "3.7.0" },
    logger: silentLogger,
    monotonicMs: () => 0,
    openSnapshot: async (reader: SnapshotReader) => {
      test.reader = reader;
      return snapshot as unknown as DatabaseSnapshot;
    },
    runSteps<T>(steps: Steps<T>, done: (value: T) => void, failed: (error: EtcdError) => void) {
      try {
        done(finish(steps));
      } catch (error) {
        failed(error as EtcdError);
      }
    },
  } as unknown as MaintenanceSource;
  return test;
}

async function start(test: TestSource, call: TestCall): Promise<void> {
  snapshotHandler(test.source).onRequest(call as unknown as GrpcCall, new Uint8Array(0));
  await Promise.resolve();
  await Promise.resolve();
}

describe("Maintenance.Snapshot", () => {
  it("sends the file, then its SHA-256, and how much is to come", async () => {
    const test = sourceOf(3);
    const call = new TestCall();
    await start(test, call);
    assert.deepEqual(
      call.messages.map(({ remainingBytes, blob, version }) => [remainingBytes, blob.length, version]),
      [
        [2000n, 1000, "3.7.0"],
        [1000n, 1000, "3.7.0"],
        [0n, 1000, "3.7.0"],
        [0n, 32, "3.7.0"],
      ],
    );
    const hash = createHash("sha256");
    for (const { blob } of call.messages.slice(0, 3)) hash.update(blob);
    assert.deepEqual(Buffer.from(call.messages[3]!.blob), hash.digest());
    assert.equal(call.ended, true);
    assert.equal(test.closed, 1);
  });

  it("makes no more than its reader takes", async () => {
    const test = sourceOf(10);
    const call = new TestCall(2);
    await start(test, call);
    assert.equal(test.made, 2);
    call.drain(3);
    assert.equal(test.made, 5);
    assert.equal(call.ended, false);
    call.drain(100);
    assert.equal(call.messages.length, 11);
    assert.equal(call.ended, true);
    // A drain that comes late finds nothing to do.
    call.drain(100);
    assert.equal(call.messages.length, 11);
  });

  it("lets go when its reader leaves", async () => {
    const test = sourceOf(10);
    const call = new TestCall(2);
    await start(test, call);
    call.cancel();
    assert.equal(test.closed, 1);
    assert.equal(test.reader?.isCancelled(), true);
  });

  it("fails when the snapshot does", async () => {
    const test = sourceOf(10, { at: 4, error: errors.corrupt() });
    const call = new TestCall();
    await start(test, call);
    assert.equal(call.messages.length, 4);
    assert.equal(call.error?.message, errors.corrupt.text);
    assert.equal(call.ended, false);
    assert.equal(test.closed, 1);
  });

  it("fails when it is given up, or was never opened", async () => {
    const test = sourceOf(10);
    const call = new TestCall(2);
    await start(test, call);
    test.reader?.onGivenUp(errors.timeout());
    assert.equal(call.error?.message, errors.timeout.text);

    const refused = new TestCall();
    const never = sourceOf(1);
    const source = { ...never.source, openSnapshot: async () => Promise.reject(errors.tooManyRequests()) };
    snapshotHandler(source as MaintenanceSource).onRequest(refused as unknown as GrpcCall, new Uint8Array(0));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(refused.error?.message, errors.tooManyRequests.text);
  });
});

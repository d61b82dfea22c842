import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryBackend } from "../../backend/memory/memory-backend.ts";
import type { EtcdError } from "../../errors/etcd-error.ts";
import type { Revision } from "../../lib/ids.ts";
import { finish } from "../../lib/steps.ts";
import { MvccStore } from "../../mvcc/store.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";
import type { DatabaseSnapshot, SnapshotReader } from "./database-snapshot.ts";
import { importDatabase } from "./import-database.ts";
import { openBytes, restOf } from "./testing/snapshot-file.ts";

class Reader implements SnapshotReader {
  cancelled = false;
  error: EtcdError | undefined;

  isCancelled(): boolean {
    return this.cancelled;
  }

  onGivenUp(error: EtcdError): void {
    this.error = error;
  }
}

/** A server with keys in its store and some more in its overlay. */
async function serverWithKeys(): Promise<TestServer & { backend: MemoryBackend }> {
  const backend = new MemoryBackend();
  const test = await startTestServer({ backend });
  for (let i = 0; i < 50; i++) await test.put(`key ${i % 20}`, "x".repeat(100));
  return { ...test, backend };
}

async function open(test: TestServer, reader: SnapshotReader = new Reader()): Promise<DatabaseSnapshot> {
  let snapshot: DatabaseSnapshot | undefined;
  let failure: unknown;
  test.server.openSnapshot(reader).then(
    (opened) => {
      snapshot = opened;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  for (let turns = 0; turns < 200 && snapshot === undefined && failure === undefined; turns++)
    await test.run();
  if (snapshot === undefined) throw failure;
  return snapshot;
}

async function storeFrom(bytes: Uint8Array): Promise<MvccStore> {
  const backend = new MemoryBackend();
  await importDatabase(await openBytes(bytes), backend);
  return new MvccStore({ backend, leases: { has: () => true } });
}

async function stop(test: TestServer): Promise<void> {
  const stopping = test.server.stop();
  await test.pass(200);
  await stopping;
}

/** Compacts, and waits as long as a compaction may take. */
async function compact(test: TestServer, revision: number): Promise<void> {
  const compacted = test.server.compact(revision);
  await test.pass(200);
  await compacted;
}

describe("a snapshot of a running server", () => {
  it("holds what was applied when it was asked for, and nothing later", async () => {
    const test = await serverWithKeys();
    await test.grant(7n, 100);
    await test.put("leased", "x", 7n as never);
    const { revision } = test.server.store;
    const hash = finish(test.server.store.hashByRevision(0));
    const snapshot = await open(test);
    await test.put("key 1", "later");
    await test.revoke(7n);
    const store = await storeFrom(restOf(snapshot));
    snapshot.close();
    assert.equal(store.revision, revision);
    assert.equal(snapshot.position.revision, revision);
    assert.deepEqual(finish(store.hashByRevision(0)), hash);
    const leases = finish(store.readMeta("lease"));
    assert.equal(leases.size, 1);
    await stop(test);
  });

  it("holds the same history in both passes although a compaction comes between", async () => {
    const test = await serverWithKeys();
    const { revision } = test.server.store;
    const snapshot = await open(test);
    await compact(test, revision - 2);
    await test.pass(20_000);
    assert.equal(test.backend.position.compactedRevision, 0, "what the snapshot reads was removed");
    const store = await storeFrom(restOf(snapshot));
    assert.equal(store.revision, revision);
    snapshot.close();
    await test.pass(200);
    assert.equal(test.backend.position.compactedRevision, revision - 2);
    await stop(test);
  });

  it("is taken under a load that never ends", async () => {
    const test = await serverWithKeys();
    let loading = true;
    const load = (async () => {
      while (loading) await test.put("busy", "x".repeat(2000));
    })();
    const snapshot = await open(test);
    const store = await storeFrom(restOf(snapshot));
    assert.equal(store.revision, snapshot.position.revision);
    assert.ok(store.revision >= (51 as Revision));
    snapshot.close();
    loading = false;
    await load;
    await stop(test);
  });

  it("is given up when nobody reads it, and removal goes on", async () => {
    const test = await serverWithKeys();
    const reader = new Reader();
    const snapshot = await open(test, reader);
    snapshot.chunks.next();
    await compact(test, 10);
    assert.equal(test.backend.position.compactedRevision, 0);
    await test.clock.advance(11 * 60_000);
    await test.run();
    assert.match(String(reader.error), /timed out/);
    await test.pass(200);
    assert.equal(test.backend.position.compactedRevision, 10);
    assert.throws(() => [...snapshot.chunks], /canceled/);
    await stop(test);
  });

  it("lets go when its reader leaves before it is there", async () => {
    const test = await serverWithKeys();
    const reader = new Reader();
    reader.cancelled = true;
    await assert.rejects(open(test, reader), /canceled/);
    await compact(test, 10);
    assert.equal(test.backend.position.compactedRevision, 10);
    await test.put("still", "writes");
    await stop(test);
    assert.deepEqual(test.fatal, []);
  });

  it("is one of a few", async () => {
    const test = await serverWithKeys();
    const snapshots: DatabaseSnapshot[] = [];
    for (let i = 0; i < 16; i++) snapshots.push(await open(test));
    await assert.rejects(open(test), /too many requests/);
    snapshots[0]!.close();
    snapshots[0]!.close();
    (await open(test)).close();
    await stop(test);
  });

  it("ends with the server", async () => {
    const test = await serverWithKeys();
    const reader = new Reader();
    await open(test, reader);
    await stop(test);
    assert.match(String(reader.error), /server stopped/);
    await assert.rejects(open(test), /server stopped/);
  });
});

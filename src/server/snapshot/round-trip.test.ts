import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Backend } from "../../backend/backend.ts";
import { MemoryBackend } from "../../backend/memory/memory-backend.ts";
import { plain, rev } from "../../backend/testing/contract-suite.ts";
import { HistoryMaker } from "../../backend/testing/history-maker.ts";
import { checkFile } from "../../bbolt/check-file.ts";
import { BboltCorruptError } from "../../bbolt/corrupt-error.ts";
import { readBuckets, readLeaves } from "../../bbolt/read-rows.ts";
import { encodeLeaseRow, leaseRowKey } from "../../codec/lease-row.ts";
import type { LeaseId, RaftIndex, Term } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import { finish } from "../../lib/steps.ts";
import { MvccStore } from "../../mvcc/store.ts";
import { allBuckets, plainBuckets } from "./etcd-buckets.ts";
import { importDatabase } from "./import-database.ts";
import { openBytes, snapshotOf } from "./testing/snapshot-file.ts";

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

/** Keys, leases and rows of other buckets, some of it compacted, some of that removed. */
async function randomStore(seed: number): Promise<{ backend: Backend; maker: HistoryMaker }> {
  const random = new Prng(seed);
  const backend = new MemoryBackend();
  const maker = new HistoryMaker();
  const keys = random.pick([1, 10, 300]);
  for (let i = 0; i < random.pick([0, 5, 700]); i++) {
    const key = `key ${random.below(keys)}`;
    const value = "v".repeat(random.below(random.pick([10, 100, 9000])));
    const kind = random.below(5);
    if (kind === 0) maker.delete(key);
    else if (kind === 1) maker.transaction({ put: key, value }, { put: `${key}b`, value: "" });
    else maker.put(key, value, random.chance(0.2) ? BigInt(random.below(5)) : 0n);
  }
  for (let id = 1n; id < BigInt(random.pick([1, 5, 3000])); id++) {
    const row = encodeLeaseRow({ id: id as LeaseId, ttlSeconds: 60, remainingTtlSeconds: 0 });
    maker.meta("lease", leaseRowKey(id as LeaseId), latin1(row));
  }
  maker
    .meta("members", "8211f1d0f64f3269", '{"id":9372538179322589801}')
    .meta("alarm", "\x08\x01\x10\x01", "")
    .meta("auth", "authRevision", "\0\0\0\0\0\0\0\x01");
  maker.meta("meta", "confState", '{"voters":[9372538179322589801],"auto_leave":false}');
  if (random.chance(0.7)) maker.compactTo(1 + random.below(maker.revision));
  await backend.write(maker.generation());
  if (random.chance(0.5)) await backend.compact(rev(maker.compactRevision));
  return { backend, maker };
}

function historyOf(backend: Backend) {
  return backend.history({ revision: rev(0), sub: 0 }, 100_000, Number.POSITIVE_INFINITY).map(plain);
}

function metaOf(backend: Backend) {
  return plainBuckets.map((bucket) => [bucket, backend.meta(bucket, undefined, 100_000).map(plain)]);
}

function storeOf(backend: Backend): MvccStore {
  return new MvccStore({ backend, leases: { has: () => true } });
}

describe("a store as a database file", () => {
  for (let seed = 1; seed <= 25; seed++) {
    it(`is the same store again (seed ${seed})`, async () => {
      const { backend } = await randomStore(seed);
      const file = await openBytes(snapshotOf(backend));
      assert.deepEqual(await checkFile(file), { problems: [], count: 0 }, `seed ${seed}`);

      const again = new MemoryBackend();
      const { position } = backend;
      const imported = await importDatabase(file, again);
      assert.deepEqual(historyOf(again), historyOf(backend), `seed ${seed}`);
      assert.deepEqual(metaOf(again), metaOf(backend), `seed ${seed}`);
      // What is still to be removed is not known to be gone.
      assert.deepEqual(again.position, { ...position, compactedRevision: 0 });
      assert.equal(imported.revision, position.revision);
      assert.equal(imported.versions, historyOf(backend).length);
      assert.deepEqual(imported.ignoredBuckets, []);
      const hash = (of: Backend) => finish(storeOf(of).hashByRevision(0));
      assert.deepEqual(hash(again), hash(backend), `seed ${seed}`);
    });
  }

  it("has etcd's buckets, empty ones too", async () => {
    const file = await openBytes(snapshotOf(new MemoryBackend()));
    assert.deepEqual([...(await readBuckets(file)).keys()], allBuckets);
    assert.equal(allBuckets.length, 10);
  });

  it("says how far it reaches as etcd does", async () => {
    const backend = new MemoryBackend();
    const maker = new HistoryMaker().put("a", "1").put("a", "2").put("a", "3").compactTo(3);
    await backend.write(maker.generation());
    await backend.compact(rev(2));
    const file = await openBytes(snapshotOf(backend));
    const found = new Map<string, string>();
    for await (const { rows } of readLeaves(file, (await readBuckets(file)).get("meta")!)) {
      for (const { key, value } of rows) found.set(latin1(key), latin1(value));
    }
    assert.deepEqual(
      found,
      new Map([
        ["consistent_index", "\0\0\0\0\0\0\0\x04"],
        ["finishedCompactRev", "\0\0\0\0\0\0\0\x02_\0\0\0\0\0\0\0\0"],
        ["scheduledCompactRev", "\0\0\0\0\0\0\0\x03_\0\0\0\0\0\0\0\0"],
        ["storageVersion", "3.7.0"],
        ["term", "\0\0\0\0\0\0\0\x01"],
      ]),
    );
  });
});

describe("importing", () => {
  async function importInto(bytes: Uint8Array, options: Parameters<typeof importDatabase>[2]) {
    const backend = new MemoryBackend();
    const imported = await importDatabase(await openBytes(bytes), backend, options);
    return { backend, imported };
  }

  it("puts rows in place of the file's, and leaves buckets out", async () => {
    const { backend: source } = await randomStore(3);
    const { backend } = await importInto(snapshotOf(source), {
      index: 3 as RaftIndex,
      term: 1 as Term,
      leaveOut: new Set(["members"]),
      rows: [
        { bucket: "members", key: "1", value: Uint8Array.of(1) },
        { bucket: "meta", key: "confState", value: Uint8Array.of(2) },
      ],
    });
    assert.deepEqual(backend.meta("members", undefined, 9), [{ key: "1", value: Uint8Array.of(1) }]);
    assert.deepEqual(backend.meta("meta", undefined, 9), [{ key: "confState", value: Uint8Array.of(2) }]);
    assert.equal(backend.meta("alarm", undefined, 9).length, 1);
    assert.equal(backend.position.appliedIndex, 3);
    assert.equal(backend.position.appliedTerm, 1);
  });

  it("bumps the revision, and counts all before as compacted", async () => {
    const source = new MemoryBackend();
    await source.write(new HistoryMaker().put("a").put("b").generation());
    const { backend, imported } = await importInto(snapshotOf(source), { bumpRevision: 1000 });
    assert.equal(imported.revision, 1003);
    assert.equal(backend.position.compactRevision, 1003);
    const store = storeOf(backend);
    assert.equal(store.get(Buffer.from("b"))?.modRevision, 3);
    assert.throws(() => finish(store.hashByRevision(1002)), /compacted/);
  });

  it("keeps the row that a bump leaves, here and in files of others", async () => {
    const source = new MemoryBackend();
    await source.write(new HistoryMaker().put("a").put("b").generation());
    const { backend: bumped } = await importInto(snapshotOf(source), { bumpRevision: 1000 });
    const bytes = snapshotOf(bumped);
    const root = (await readBuckets(await openBytes(bytes))).get("key")!;
    const rows: string[] = [];
    for await (const leaf of readLeaves(await openBytes(bytes), root)) {
      for (const { key, value } of leaf.rows)
        rows.push(`${Buffer.from(key).toString("hex")} ${value.length}`);
    }
    assert.equal(rows.length, 3);
    assert.equal(rows[2], "00000000000003eb5f0000000000000000 0");
    const { backend: again, imported } = await importInto(bytes, {});
    assert.equal(imported.revision, 1003);
    assert.equal(imported.compactRevision, 1003);
    assert.deepEqual(historyOf(again), historyOf(bumped));
    assert.deepEqual(finish(storeOf(again).hashByRevision(0)), finish(storeOf(bumped).hashByRevision(0)));
  });

  it("bumps an empty store from zero, as etcd does", async () => {
    const { imported } = await importInto(snapshotOf(new MemoryBackend()), { bumpRevision: 10 });
    assert.equal(imported.revision, 10);
  });

  it("goes on from a compaction that is newer than every row", async () => {
    const source = new MemoryBackend();
    const maker = new HistoryMaker().put("a").delete("a");
    // A revision that was bumped has no row of its own.
    maker.revision = 4;
    await source.write(maker.compactTo(4).generation());
    await source.compact(rev(4));
    const { backend } = await importInto(snapshotOf(source), {});
    assert.equal(backend.position.revision, 4);
    assert.deepEqual(historyOf(backend), []);
  });

  for (let seed = 1; seed <= 30; seed++) {
    it(`never takes damaged rows for whole ones without an error it can name (seed ${seed})`, async () => {
      const random = new Prng(seed);
      const { backend } = await randomStore(1 + random.below(25));
      const bytes = snapshotOf(backend);
      for (let i = 0; i < 20; i++)
        bytes[3 * 4096 + random.below(bytes.length - 3 * 4096)]! ^= 1 << random.below(8);
      const importing = openBytes(bytes).then((file) => importDatabase(file, new MemoryBackend()));
      await importing.catch((error: unknown) => {
        assert.ok(error instanceof BboltCorruptError, `seed ${seed}: ${(error as Error).stack}`);
      });
    });
  }

  it("refuses the file of a newer etcd", async () => {
    const source = new MemoryBackend();
    await source.write(new HistoryMaker().put("a").generation());
    const bytes = snapshotOf(source);
    const at = Buffer.from(bytes).indexOf("storageVersion3.7.0") + "storageVersion3.".length;
    bytes[at] = "8".charCodeAt(0);
    await assert.rejects(importInto(bytes, {}), /storage version 3\.8\.0, which is newer/);
  });
});

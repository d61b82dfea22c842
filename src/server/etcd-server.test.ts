import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Generation } from "../backend/backend.ts";
import { MemoryBackend } from "../backend/memory/memory-backend.ts";
import type { RequestOp } from "../codec/kv.ts";
import { emptyPutRequest } from "../codec/put.ts";
import { raftField } from "../codec/raft-internal.ts";
import { errors } from "../errors/table.ts";
import type { LeaseId } from "../lib/ids.ts";
import type { Entry } from "../lib/raft-entry.ts";
import { settle } from "../lib/testing/fake-clock.ts";
import { RawNode } from "../raft/raw-node.ts";
import { MemoryWal } from "../wal/memory-wal.ts";
import { newLog, startTestServer, testSettings } from "./testing/test-server.ts";

describe("etcd server, one member", () => {
  it("elects itself, sets the cluster's version and publishes itself", async () => {
    const { server } = await startTestServer();
    assert.ok(server.isLeader);
    assert.equal(server.cluster.version, "3.7.0");
    assert.deepEqual(
      server.cluster.members().map(({ name, clientUrls, peerUrls }) => ({ name, clientUrls, peerUrls })),
      [{ name: "a", clientUrls: ["http://a:2379"], peerUrls: ["http://a:2380"] }],
    );
    // As in etcd: the members' own entry, the leader's, and the two proposals above.
    assert.equal(server.raftStatus().appliedIndex, 4);
    assert.equal(server.raftStatus().term, 2);
    assert.equal(server.store.revision, 1);
  });

  it("puts and answers in order, one revision each", async () => {
    const test = await startTestServer();
    assert.equal((await test.put("k", "1")).prevKv, undefined);
    assert.equal(new TextDecoder().decode((await test.put("k", "2")).prevKv!.value), "1");
    assert.equal(test.get("k"), "2");
    assert.equal(test.server.store.revision, 3);
    assert.equal(test.server.header().revision, 3);
  });

  it("answers no proposal before the log has it on disk", async () => {
    let held: (() => void)[] = [];
    let holding = false;
    const test = await startTestServer({
      openLog: newLog({
        sizeBytes: 0,
        save: (_batch, done) => {
          if (holding) held.push(() => done());
          else queueMicrotask(() => done());
        },
        release() {},
        close: async () => {},
      }),
    });
    holding = true;
    let answered = false;
    const put = test.put("k", "1").then(() => {
      answered = true;
    });
    await test.run();
    assert.equal(answered, false);
    assert.equal(test.get("k"), undefined);
    let readDone = false;
    // What is not committed is not seen, and does not hold up reads.
    test.server.linearizable(
      () => {
        readDone = true;
      },
      () => {},
    );
    assert.equal(readDone, true);
    holding = false;
    for (const release of held) release();
    held = [];
    await test.run();
    await put;
    assert.equal(test.get("k"), "1");
  });

  it("stops, and says why, when the log fails", async () => {
    let failing = false;
    const test = await startTestServer({
      openLog: newLog({
        sizeBytes: 0,
        save: (_batch, done) => queueMicrotask(() => done(failing ? new Error("no space left") : undefined)),
        release() {},
        close: async () => {},
      }),
    });
    failing = true;
    await assert.rejects(test.put("k", "1"), { message: errors.stopped.text });
    assert.deepEqual(
      test.fatal.map((error) => error.message),
      ["no space left"],
    );
    await assert.rejects(test.put("k", "2"), { message: errors.stopped.text });
    assert.equal(test.get("k"), undefined);
  });

  it("stops, and says why, when Raft finds a mistake", async () => {
    class MistakenNode extends RawNode {
      override propose(entries: readonly Entry[]) {
        if (entries.some(({ data }) => data.includes(0x99))) throw new Error("a mistake");
        return super.propose(entries);
      }
    }
    const test = await startTestServer({ makeNode: (config, start) => new MistakenNode(config, start) });
    await assert.rejects(test.put("k", "\u0659"), { message: errors.stopped.text });
    assert.deepEqual(
      test.fatal.map((error) => error.message),
      ["a mistake"],
    );
  });

  it("refuses a request that is too large, and gives up one that takes too long", async () => {
    let hold = false;
    const test = await startTestServer({
      openLog: newLog({
        sizeBytes: 0,
        save: (_batch, done) => {
          if (!hold) queueMicrotask(() => done());
        },
        release() {},
        close: async () => {},
      }),
    });
    await assert.rejects(test.put("k", "x".repeat(1_600_000)), { message: errors.requestTooLarge.text });
    hold = true;
    const put = test.put("k", "1");
    put.catch(() => {});
    await test.pass(8_000);
    await assert.rejects(put, { message: errors.timeout.text });
  });

  it("gives what was applied to the backend, and waits with proposals while the overlay is full", async () => {
    const test = await startTestServer();
    for (let i = 0; i < 50; i++) await test.put(`key${i}`, "v".repeat(900));
    await test.pass(200);
    assert.equal(test.server.store.overlayBytes, 0);
    assert.equal(test.get("key49"), "v".repeat(900));
    assert.deepEqual(test.fatal, []);
  });
});

describe("leases of one member", () => {
  it("expire with their keys, in one revision, not before their time", async () => {
    const test = await startTestServer();
    const granted = await test.grant(7n, 10);
    assert.deepEqual({ ...granted }, { id: 7n, ttlSeconds: 10 });
    await test.put("a", "1", 7n as LeaseId);
    await test.put("b", "1", 7n as LeaseId);
    const before = test.server.store.revision;
    await test.pass(9_900);
    assert.equal(test.get("a"), "1");
    await test.pass(1_000);
    assert.equal(test.get("a"), undefined);
    assert.equal(test.get("b"), undefined);
    assert.equal(test.server.store.revision, before + 1);
    assert.equal(await test.keepAlive(7n), 0);
  });

  it("live on while they are kept alive", async () => {
    const test = await startTestServer();
    await test.grant(7n, 10);
    await test.put("a", "1", 7n as LeaseId);
    for (let i = 0; i < 5; i++) {
      await test.pass(4_000);
      assert.equal(await test.keepAlive(7n), 10);
    }
    assert.equal(test.get("a"), "1");
  });

  it("are refused to puts when they do not exist, and revoked once", async () => {
    const test = await startTestServer();
    await assert.rejects(test.put("a", "1", 9n as LeaseId), { message: errors.leaseNotFound.text });
    await test.grant(9n, 10);
    await assert.rejects(test.grant(9n, 10), { message: errors.leaseExist.text });
    await test.revoke(9n);
    await assert.rejects(test.revoke(9n), { message: errors.leaseNotFound.text });
    assert.equal(test.server.store.revision, 1);
  });

  it("raise and clear an alarm that stops what grows, and nothing else", async () => {
    const test = await startTestServer({});
    const { create, toBinary } = await import("@bufbuild/protobuf");
    const {
      AlarmRequestSchema,
      AlarmRequest_AlarmAction: Action,
      AlarmType,
    } = await import("../gen/etcdserverpb/rpc_pb.ts");
    await test.put("a", "1");
    const alarm = (action: number) => {
      const request = create(AlarmRequestSchema, {
        action: action as typeof Action.ACTIVATE,
        memberID: 5n,
        alarm: AlarmType.NOSPACE,
      });
      return test.propose(raftField.alarm, toBinary(AlarmRequestSchema, request), request);
    };
    await alarm(Action.ACTIVATE);
    assert.equal(test.server.alarms().length, 1);
    await assert.rejects(test.put("a", "2"), { message: errors.noSpace.text });
    await assert.rejects(test.grant(1n, 10), { message: errors.noSpace.text });
    assert.equal(test.get("a"), "1");
    await alarm(Action.DEACTIVATE);
    await test.put("a", "3");
    assert.equal(test.get("a"), "3");
  });
});

describe("memory log", () => {
  it("answers later, and in order", async () => {
    const { FakeClock } = await import("../lib/testing/fake-clock.ts");
    const clock = new FakeClock();
    const wal = new MemoryWal(clock);
    const done: number[] = [];
    wal.save({ entries: [], mustSync: true }, () => done.push(1));
    wal.save({ entries: [], mustSync: true }, () => done.push(2));
    assert.deepEqual(done, []);
    clock.turn();
    assert.deepEqual(done, [1, 2]);
  });
});

describe("the end of a server", () => {
  const deleteAll = { key: new Uint8Array([0]), rangeEnd: new Uint8Array([0]), prevKv: false };

  it("leaves an entry alone that is being applied", { timeout: 60_000 }, async () => {
    const test = await startTestServer();
    for (let i = 0; i < 40; i++) {
      const request = { compare: [], success: manyPuts(i, 128), failure: [] };
      await test.propose(raftField.txn, new Uint8Array(0), request);
    }
    await test.pass(200);
    // From now on a step of the deletion is all that fits into a turn.
    test.clock.costOfLookMs = 10;
    test.server.propose(
      { field: raftField.deleteRange, bytes: new Uint8Array(0), request: deleteAll },
      () => {},
    );
    for (let turns = 0; !test.server.store.writeInProgress; turns++) {
      assert.ok(turns < 100);
      test.clock.turn();
      await settle();
    }
    let stopped = false;
    const stop = test.server.stop().then(() => {
      stopped = true;
    });
    for (let turns = 0; !stopped && turns < 1000; turns++) {
      test.clock.turn();
      await settle();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await stop;
    await test.run();
    assert.deepEqual(test.fatal, []);
  });

  it("comes also when the store cannot be written any more", async () => {
    class FullBackend extends MemoryBackend {
      isFull = false;
      override write(generation: Generation): Promise<void> {
        return this.isFull ? Promise.reject(new Error("no space left")) : super.write(generation);
      }
    }
    const backend = new FullBackend({});
    // Nothing is written before it has to be.
    const storeLimits = { generationBytes: 1e6, generationDelayMs: 1e9, overlayBytesMax: 1e7 };
    const test = await startTestServer({ backend, settings: { ...testSettings, storeLimits } });
    await test.pass(200);
    backend.isFull = true;
    await test.put("k", "1");
    let stopped = false;
    const stop = test.server.stop().then(() => {
      stopped = true;
    });
    for (let tries = 0; !stopped && tries < 100; tries++) await test.pass(50);
    assert.ok(stopped, "it waits for ever");
    await stop;
    assert.deepEqual(
      test.fatal.map(({ message }) => message),
      ["no space left"],
    );
  });
});

function manyPuts(batch: number, count: number): RequestOp[] {
  return Array.from({ length: count }, (_, i) => {
    const key = new TextEncoder().encode(`${batch}/${i}`);
    return { kind: "put", put: { ...emptyPutRequest(), key } };
  });
}

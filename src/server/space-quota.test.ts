import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import type { PutRequest, TxnRequest } from "../codec/kv.ts";
import { raftField } from "../codec/raft-internal.ts";
import { errors } from "../errors/table.ts";
import {
  AlarmRequest_AlarmAction as Action,
  AlarmRequestSchema,
  AlarmType,
  DeleteRangeRequestSchema,
} from "../gen/etcdserverpb/rpc_pb.ts";
import type { LeaseId, MemberId } from "../lib/ids.ts";
import { silentLogger } from "../lib/testing/silent-logger.ts";
import { costOf, SpaceQuota } from "./space-quota.ts";
import { startTestServer, type TestServer, testSettings } from "./testing/test-server.ts";

const withQuota = (quotaBackendBytes: number) =>
  startTestServer({ settings: { ...testSettings, quotaBackendBytes } });

const noSpace = { message: errors.noSpace.text };
const raised = ({ server }: TestServer) => server.alarms().map(({ alarm, memberID }) => [alarm, memberID]);

async function fill(test: TestServer): Promise<number> {
  for (let count = 0; count < 1000; count++) {
    try {
      await test.put(`key${count}`, "x".repeat(500));
    } catch (error) {
      assert.equal((error as Error).message, errors.noSpace.text);
      return count;
    }
  }
  throw new Error("it never was full");
}

function deleteAll(test: TestServer): Promise<unknown> {
  const request = { key: new Uint8Array([0]), rangeEnd: new Uint8Array([0]), prevKv: false };
  const bytes = toBinary(DeleteRangeRequestSchema, create(DeleteRangeRequestSchema, request));
  return test.propose(raftField.deleteRange, bytes, request);
}

function disarm(test: TestServer): Promise<unknown> {
  const memberID = test.server.cluster.localId;
  const request = create(AlarmRequestSchema, {
    memberID,
    action: Action.DEACTIVATE,
    alarm: AlarmType.NOSPACE,
  });
  return test.propose(raftField.alarm, toBinary(AlarmRequestSchema, request), request);
}

describe("a member with a quota", () => {
  it("refuses what does not fit before it reaches the log, and raises NOSPACE", async () => {
    const test = await withQuota(20_000);
    const count = await fill(test);
    assert.ok(count > 5 && count < 40, `${count} keys`);
    assert.equal(test.get(`key${count}`), undefined);
    assert.deepEqual(raised(test), [[AlarmType.NOSPACE, test.server.cluster.localId]]);
    await assert.rejects(test.put("small", "x"), noSpace);
    await assert.rejects(test.grant(1n, 100), noSpace);
  });

  it("lets keys be deleted, compacts, and has room again without a defragmentation", async () => {
    const test = await withQuota(20_000);
    await test.grant(7n, 100);
    await fill(test);
    await deleteAll(test);
    await test.revoke(7n);
    const compacted = test.server.compact(test.server.store.revision);
    await test.run();
    await compacted;
    const physical = test.server.physicallyCompacted(test.server.store.revision);
    await test.pass(200);
    await physical;
    await assert.rejects(test.put("a", "1"), noSpace, "the alarm holds until it is disarmed");
    await disarm(test);
    await test.put("a", "1");
    assert.equal(test.get("a"), "1");
    assert.deepEqual(raised(test), []);
  });

  it("raises the alarm again when it is disarmed without room", async () => {
    const test = await withQuota(20_000);
    await fill(test);
    await disarm(test);
    assert.deepEqual(raised(test), []);
    await assert.rejects(test.put("large", "x".repeat(600)), noSpace);
    assert.equal(raised(test).length, 1);
  });

  it("applies what was in the log already, and answers that there is no space once there is an alarm", async () => {
    const test = await withQuota(5_000);
    // All in one turn: at the door there was room for each.
    const puts = Array.from({ length: 10 }, (_, i) => test.put(`key${i}`, "x".repeat(500)));
    const ends = await Promise.allSettled(puts);
    const refused = ends.filter(({ status }) => status === "rejected");
    assert.ok(refused.length > 0 && refused.length < 10, `${refused.length} refused`);
    assert.equal(raised(test).length, 1);
  });

  it("has none with a negative one", async () => {
    const test = await withQuota(-1);
    for (let i = 0; i < 100; i++) await test.put(`key${i}`, "x".repeat(500));
    assert.equal(test.server.quotaBackendBytes, -1);
  });
});

describe("the cost of a request", () => {
  const put = (size: number): PutRequest => ({
    key: new Uint8Array(10),
    value: new Uint8Array(size),
    lease: 0n as LeaseId,
    prevKv: false,
    ignoreValue: false,
    ignoreLease: false,
  });
  const txn = (success: TxnRequest["success"], failure: TxnRequest["failure"] = []): TxnRequest =>
    ({ compare: [], success, failure }) as TxnRequest;

  it("is the larger branch of a transaction, nested ones included", () => {
    const op = (size: number) => ({ kind: "put", put: put(size) }) as const;
    assert.equal(costOf(raftField.put, put(100)), 366);
    assert.equal(costOf(raftField.txn, txn([op(1), op(2)], [op(100)])), 267 + 268);
    assert.equal(costOf(raftField.txn, txn([op(1)], [op(1000)])), 1266);
    assert.equal(costOf(raftField.txn, txn([{ kind: "txn", txn: txn([], [op(5)]) }, op(1)])), 271 + 267);
    assert.equal(costOf(raftField.txn, txn([])), 0);
    assert.equal(costOf(raftField.leaseGrant, {}), 64);
    assert.equal(costOf(raftField.deleteRange, {}), 0);
  });
});

describe("an alarm that is being raised", () => {
  it("is proposed once, for all that wait for it", () => {
    const proposed: (() => void)[] = [];
    const quota = new SpaceQuota({
      quotaBytes: 100,
      usedBytes: () => 1000,
      localId: 1n as MemberId,
      logger: silentLogger,
      propose: (_request, done) => void proposed.push(() => done(undefined)),
    });
    const told: number[] = [];
    quota.raiseAlarm(() => told.push(1));
    quota.raiseAlarm(() => told.push(2));
    assert.deepEqual([proposed.length, told.length], [1, 0]);
    proposed[0]!();
    assert.deepEqual(told, [1, 2]);
    quota.raiseAlarm(() => told.push(3));
    assert.deepEqual([proposed.length, told.length], [2, 2]);
  });
});

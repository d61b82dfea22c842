import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BackendCorruptError } from "../../backend/errors.ts";
import { AlarmType } from "../../gen/etcdserverpb/rpc_pb.ts";
import { startTestServer } from "../testing/test-server.ts";

describe("damage that a hash comes upon", () => {
  it("raises CORRUPT for the member", async () => {
    const test = await startTestServer();
    Object.defineProperty(test.server.store, "hashByRevision", {
      // biome-ignore lint/correctness/useYield: it fails at once
      value: function* () {
        throw new BackendCorruptError("db", "log row 17", "checksum mismatch");
      },
    });
    const ended = Promise.withResolvers<string>();
    test.server.runSteps(
      test.server.hashKv(0),
      () => ended.resolve("a hash"),
      (error) => ended.resolve(error.message),
      () => false,
    );
    await test.pass(100);
    assert.match(await ended.promise, /checksum mismatch|log row 17/);
    const { localId } = test.server.cluster;
    assert.deepEqual(
      test.server.alarms().map(({ alarm, memberID }) => [alarm, memberID]),
      [[AlarmType.CORRUPT, localId]],
    );
  });
});

describe("Maintenance.Hash", () => {
  it("covers users and roles", async () => {
    const test = await startTestServer();
    const asked: string[] = [];
    Object.defineProperty(test.server.store, "hash", {
      // biome-ignore lint/correctness/useYield: it is done at once
      value: function* (buckets: readonly string[]) {
        asked.push(...buckets);
        return 1;
      },
    });
    assert.deepEqual([...test.server.hashAll()], []);
    for (const bucket of ["auth", "authUsers", "authRoles", "members_removed", "lease", "alarm"]) {
      assert.ok(asked.includes(bucket), bucket);
    }
  });
});

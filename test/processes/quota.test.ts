/** A store that is full: refused writes, an alarm, and the way out that etcd's documentation gives, without its last step. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { type MemberProcess, startCluster } from "./member-process.ts";

interface Status {
  readonly header: { readonly revision: string; readonly member_id: string };
  readonly dbSize: string;
  readonly dbSizeInUse: string;
  readonly dbSizeQuota: string;
  readonly errors?: readonly string[];
}

const full = /^Error: etcdserver: mvcc: database space exceeded$/;
const quota = 512 * 1024;

/** Processes start slowly on a machine that does other things. */
const slow = { timeout: 120_000 };

describe("a member whose store is full", () => {
  let folder = "";
  let member: MemberProcess;
  after(async () => {
    await member.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  it("begins empty", slow, async () => {
    folder = mkdtempSync(join(tmpdir(), "etclite-quota-"));
    [member] = (await startCluster({ folder, size: 1, flags: [`--quota-backend-bytes=${quota}`] })) as [
      MemberProcess,
    ];
  });

  const status = () => member.call<Status>("maintenance/status");

  it("never grows past its quota, and says so", slow, async () => {
    const value = "v".repeat(8_000);
    let count = 0;
    await assert.rejects(async () => {
      for (; count < 200; count++) await member.put(`key${count}`, value);
    }, full);
    assert.ok(count > 40, `${count} keys fit`);
    const { dbSize, dbSizeQuota, errors, header } = await status();
    assert.ok(Number(dbSize) <= quota + 64 * 1024, `${dbSize} bytes`);
    assert.equal(Number(dbSizeQuota), quota);
    assert.deepEqual(errors, [`memberID:${header.member_id} alarm:NOSPACE`]);
    await assert.rejects(member.call("lease/grant", { TTL: "100" }), full);
    const put = { request_put: { key: btoa("a"), value: btoa("b") } };
    await assert.rejects(member.call("kv/txn", { success: [put] }), full);
  });

  it("has room as soon as keys are deleted and compacted, and the alarm disarmed", slow, async () => {
    await member.call("kv/deleterange", { key: btoa("key"), range_end: btoa("kez") });
    const { header } = await status();
    await member.call("kv/compaction", { revision: header.revision, physical: true });
    const { dbSizeInUse } = await status();
    assert.ok(Number(dbSizeInUse) < quota / 2, `${dbSizeInUse} bytes in use`);
    await assert.rejects(member.put("a", "b"), full, "the alarm stands until it is disarmed");
    const disarm = { action: "DEACTIVATE", memberID: header.member_id, alarm: "NOSPACE" };
    const { alarms } = await member.call<{ alarms: unknown[] }>("maintenance/alarm", disarm);
    assert.deepEqual(alarms, [{ memberID: header.member_id, alarm: "NOSPACE" }]);
    for (let i = 0; i < 20; i++) await member.put(`again${i}`, "v".repeat(8_000));
    assert.equal((await status()).errors, undefined);
  });
});

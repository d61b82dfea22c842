/** A member whose store was altered behind its back, with all checksums right, is found by each of the three checks. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { valueCheck } from "../../src/backend/sqlite/checks.ts";
import { sqliteDriver } from "../../src/runtime/sqlite.ts";
import { flagsOf, leaderOf, type MemberProcess, startCluster, until } from "./member-process.ts";

interface AlarmAnswer {
  readonly alarms?: readonly { readonly memberID: string; readonly alarm: string }[];
}

const alarmsOf = async (member: MemberProcess) =>
  (await member.call<AlarmAnswer>("maintenance/alarm", { action: "GET" })).alarms ?? [];

/** Gives a key another value, as no server would. The member must not run. */
async function alter(member: MemberProcess, key: string): Promise<void> {
  const file = join(member.dataDir, "member", "store", "store.db");
  const db = (await sqliteDriver()).open(file, { readOnly: false });
  try {
    const rows = db.prepare<{ seq: number; head_check: number; key: Uint8Array }>(
      "SELECT seq, head_check, key FROM log ORDER BY seq",
    );
    const row = rows.all().findLast((candidate) => new TextDecoder().decode(candidate.key) === key);
    assert.ok(row, `${key} is in the store`);
    const value = new TextEncoder().encode("altered");
    db.prepare("UPDATE log SET value = ?, value_check = ? WHERE seq = ?").run(
      value,
      valueCheck(value, row.head_check),
      row.seq,
    );
  } finally {
    db.close();
  }
}

const quick = ["--heartbeat-interval=50", "--election-timeout=500"];
const compactHashes = [...quick, "--feature-gates=CompactHashCheck=true", "--compact-hash-check-time=300ms"];

/** Processes start slowly on a machine that does other things. */
const slow = { timeout: 120_000 };

describe("a member with altered data", () => {
  let folder = "";
  let members: MemberProcess[] = [];
  let altered: MemberProcess;
  let alteredId = "";
  after(async () => {
    await Promise.all(members.map((member) => member.stop("SIGKILL")));
    rmSync(folder, { recursive: true, force: true });
  });

  it("begins in a cluster of three", slow, async () => {
    folder = mkdtempSync(join(tmpdir(), "etclite-corruption-"));
    members = await startCluster({ folder, size: 3, flags: compactHashes });
    for (let i = 0; i < 10; i++) await members[0]!.put(`key${i}`, "value");
    const leader = await leaderOf(members);
    altered = members.find((member) => member !== leader)!;
    const status = await altered.call<{ header: { member_id: string } }>("maintenance/status");
    alteredId = status.header.member_id;
    await altered.stop();
    await alter(altered, "key3");
  });

  it("does not start with InitialCorruptCheck", slow, async () => {
    altered.start(flagsOf(members, [...quick, "--feature-gates=InitialCorruptCheck=true"]));
    assert.equal(await altered.ended, 1);
    const id = BigInt(alteredId).toString(16);
    assert.match(altered.log(), /"found different hash values from remote peer"/);
    assert.match(altered.log(), new RegExp(`"error":"${id} found data inconsistency with peers"`));
  });

  it("is named after a compaction with CompactHashCheck", slow, async () => {
    altered.start(flagsOf(members, compactHashes));
    await altered.ready();
    const { header } = await members[0]!.call<{ header: { revision: string } }>("kv/range", {
      key: btoa("a"),
    });
    assert.deepEqual(await alarmsOf(altered), []);
    await members[0]!.call("kv/compaction", { revision: header.revision, physical: true });
    await until("CORRUPT is raised", async () => (await alarmsOf(members[0]!)).length > 0);
    const raised = [{ memberID: alteredId, alarm: "CORRUPT" }];
    for (const member of members) assert.deepEqual(await alarmsOf(member), raised);
  });

  it("stops all writes and no reads until the alarm is disarmed", slow, async () => {
    for (const member of members) {
      await assert.rejects(member.put("key1", "again"), /^Error: etcdserver: corrupt cluster$/);
    }
    const refused = /^Error: etcdserver: corrupt cluster$/;
    const [member] = members as [MemberProcess];
    await assert.rejects(member.call("kv/deleterange", { key: btoa("key1") }), refused);
    await assert.rejects(member.call("kv/compaction", { revision: "3" }), refused);
    await assert.rejects(member.call("lease/grant", { TTL: "100" }), refused);
    await assert.rejects(member.call("lease/revoke", { ID: "1" }), refused);
    const { kvs } = await member.call<{ kvs: { value: string }[] }>("kv/range", { key: btoa("key1") });
    assert.equal(kvs[0]?.value, btoa("value"));
    // The next check raises it again, on a slow machine before the write comes.
    const disarm = { action: "DEACTIVATE", memberID: alteredId, alarm: "CORRUPT" };
    await until("a write is taken after the alarm was disarmed", async () => {
      await member.call("maintenance/alarm", disarm);
      return member.put("key1", "again").then(
        () => true,
        (error: Error) => {
          assert.match(error.message, /^etcdserver: corrupt cluster$/);
          return false;
        },
      );
    });
  });

  it("is found by --corrupt-check-time", slow, async () => {
    await Promise.all(members.map((member) => member.stop()));
    for (const member of members) member.start(flagsOf(members, [...quick, "--corrupt-check-time=300ms"]));
    // They need not all be healthy before that: one that comes late finds the alarm there.
    await until("CORRUPT is raised", async () =>
      (await alarmsOf(members[0]!)).some(({ alarm }) => alarm === "CORRUPT"),
    );
    await until("the check has found it", () =>
      members.some((member) => member.log().includes("same compact revision then hashes must match")),
    );
  });
});

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { openBackend } from "../../backend/open.ts";
import { HistoryMaker } from "../../backend/testing/history-maker.ts";
import { databaseBytes } from "../../bbolt/testing/random-database.ts";
import { type MemberId, noMember, type RaftIndex, type Term } from "../../lib/ids.ts";
import { type Entry, EntryType, emptyConfState } from "../../lib/raft-entry.ts";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import { openWal } from "../../wal/open.ts";
import { adoptEtcdFolder } from "./adopt-etcd.ts";
import { exportToEtcd } from "./export-etcd.ts";
import { makeLog } from "./make-log.ts";

const folder = mkdtempSync(join(tmpdir(), "etclite-adopt-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const logger = silentLogger;
/** In milliseconds: each waits for the disk many times. */
const timeout = 60_000;

const metadata = Uint8Array.of(8, 0x2a, 16, 7);
const term = 2 as Term;
const entry: Entry = { type: EntryType.normal, term, index: 6 as RaftIndex, data: new Uint8Array(0) };

/** A data folder of etcd, by way of one of ours. */
async function etcdFolder(name: string): Promise<string> {
  const [ours, theirs] = [join(folder, `${name}-ours`), join(folder, name)];
  const member = join(ours, "member");
  mkdirSync(member, { recursive: true });
  const backend = await openBackend({ kind: "sqlite", dir: join(member, "store") });
  const maker = new HistoryMaker().put("a", "1").put("b", "2");
  maker.meta("meta", "confState", '{"voters":[42],"auto_leave":false}');
  await backend.write({ ...maker.generation(), appliedIndex: 5 as RaftIndex, appliedTerm: term });
  await backend.close();
  await makeLog(join(member, "log"), {
    metadata,
    snapshot: { index: 5 as RaftIndex, term, confState: { ...emptyConfState, voters: [42n as MemberId] } },
    entries: [entry],
    hardState: { term, vote: noMember, commit: 5 as RaftIndex },
  });
  await exportToEtcd({ member, log: join(member, "log"), to: theirs }, logger);
  return theirs;
}

async function assertOurs(dir: string, logDir = join(dir, "member", "log")): Promise<void> {
  const backend = await openBackend({ kind: "sqlite", dir: join(dir, "member", "store") });
  assert.equal(Number(backend.position.appliedIndex), 5);
  assert.equal(Number(backend.position.revision), 3);
  await backend.close();
  const { wal, contents } = await openWal({ dir: logDir, metadata: new Uint8Array(0) }, 5 as RaftIndex);
  assert.deepEqual(contents.metadata, metadata);
  assert.deepEqual(
    contents.entries.map(({ index }) => Number(index)),
    [6],
  );
  assert.deepEqual(contents.snapshot?.confState.voters, [42n]);
  await wal.close();
}

describe("a data folder of etcd", () => {
  it("is taken over in its place, and the original stays beside", { timeout }, async () => {
    const dir = await etcdFolder("plain");
    await adoptEtcdFolder(dir, undefined, logger);
    assert.deepEqual(readdirSync(dir).sort(), ["lock", "member", "member.etcd"]);
    assert.ok(existsSync(join(dir, "member.etcd", "snap", "db")));
    await assertOurs(dir);
    await adoptEtcdFolder(dir, undefined, logger); // and then it is ours
    await assertOurs(dir);
  });

  it("is taken over with its log elsewhere", { timeout }, async () => {
    const dir = await etcdFolder("apart");
    const walDir = join(folder, "apart-wal");
    renameSync(join(dir, "member", "wal"), walDir);
    await adoptEtcdFolder(dir, walDir, logger);
    assert.ok(existsSync(`${walDir}.etcd`));
    await assertOurs(dir, walDir);
  });

  it("is taken over after a crash at any step", { timeout }, async () => {
    const dir = await etcdFolder("crashed");
    const member = join(dir, "member");
    // While it was being made: what is there of it counts for nothing.
    mkdirSync(`${member}.importing`);
    writeFileSync(join(`${member}.importing`, "half"), "");
    await adoptEtcdFolder(dir, undefined, logger);
    await assertOurs(dir);
    assert.ok(!existsSync(join(member, "half")));
    // After the original had its other name and before the new one had its own.
    renameSync(member, `${member}.importing`);
    await adoptEtcdFolder(dir, undefined, logger);
    await assertOurs(dir);
    assert.deepEqual(readdirSync(dir).sort(), ["lock", "member", "member.etcd"]);
  });

  it("is taken over by one of two servers that are started at once", { timeout }, async () => {
    const dir = await etcdFolder("two");
    const both = [adoptEtcdFolder(dir, undefined, logger), adoptEtcdFolder(dir, undefined, logger)];
    const [first, second] = await Promise.allSettled(both);
    assert.deepEqual([first!.status, second!.status], ["fulfilled", "rejected"]);
    assert.match(String((second as PromiseRejectedResult).reason), /is in use by another server/);
    await assertOurs(dir);
    await adoptEtcdFolder(dir, undefined, logger);
  });

  it("is not taken over where an original lies already", { timeout }, async () => {
    const dir = await etcdFolder("twice");
    mkdirSync(join(dir, "member.etcd"));
    await assert.rejects(
      adoptEtcdFolder(dir, undefined, logger),
      /member\.etcd is there from an earlier import/,
    );
    assert.ok(existsSync(join(dir, "member", "snap", "db")));
  });

  it("is refused with a damaged log, and left as it was", { timeout }, async () => {
    const dir = await etcdFolder("damaged");
    const [name] = readdirSync(join(dir, "member", "wal"));
    writeFileSync(join(dir, "member", "wal", name!), new Uint8Array(100).fill(9));
    await assert.rejects(adoptEtcdFolder(dir, undefined, logger), /^Error|EtcdWalError/);
    assert.ok(existsSync(join(dir, "member", "snap", "db")));
    assert.ok(!existsSync(join(dir, "member.etcd")));
    assert.ok(!existsSync(join(dir, "member.importing")));
  });

  it("is set aside when the etcd that made it never was a member", async () => {
    const dir = join(folder, "unused");
    const member = join(dir, "member");
    mkdirSync(join(member, "snap"), { recursive: true });
    const row = { key: Buffer.from("storageVersion"), value: Buffer.from("3.6.0") };
    writeFileSync(join(member, "snap", "db"), databaseBytes([{ name: "meta", rows: [row] }]));
    await adoptEtcdFolder(dir, undefined, logger);
    assert.deepEqual(readdirSync(dir).sort(), ["lock", "member.etcd"]);
    // With a log it was one, and what is wrong then is said.
    renameSync(join(dir, "member.etcd"), member);
    mkdirSync(join(member, "wal"));
    writeFileSync(join(member, "wal", "0000000000000000-0000000000000000.wal"), "");
    await assert.rejects(adoptEtcdFolder(dir, undefined, logger), /does not say how far it is/);
    assert.ok(existsSync(join(member, "snap", "db")));
  });

  it("does not take the place of data of ours", { timeout }, async () => {
    const dir = await etcdFolder("mixed");
    const member = join(dir, "member");
    mkdirSync(join(member, "store"));
    await assert.rejects(adoptEtcdFolder(dir, undefined, logger), /holds data of etclite .* and of an etcd/);
    assert.deepEqual(readdirSync(dir).sort(), ["lock", "member"]);
    // An etcd that was refused at its start has left nothing to choose between.
    rmSync(join(member, "wal"), { recursive: true });
    writeFileSync(join(member, "snap", "db"), databaseBytes([{ name: "meta", rows: [] }]));
    await adoptEtcdFolder(dir, undefined, logger);
    assert.deepEqual(readdirSync(dir).sort(), ["lock", "member"]);
  });
});

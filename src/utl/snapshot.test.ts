import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { MemoryBackend } from "../backend/memory/memory-backend.ts";
import { openBackend } from "../backend/open.ts";
import { HistoryMaker } from "../backend/testing/history-maker.ts";
import { encodeLeaseRow, leaseRowKey } from "../codec/lease-row.ts";
import type { LeaseId, RaftIndex } from "../lib/ids.ts";
import { finish } from "../lib/steps.ts";
import { formatId } from "../membership/member.ts";
import { MvccStore } from "../mvcc/store.ts";
import { snapshotOf } from "../server/snapshot/testing/snapshot-file.ts";
import { startTestServer } from "../server/testing/test-server.ts";
import { openWal } from "../wal/open.ts";
import { runUtl } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "etclite-utl-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function utl(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const output = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
  };
  const status = await runUtl(words, output);
  return { status, out, err };
}

/** The last line of what went wrong. */
const lastLine = (text: string) => text.trimEnd().split("\n").at(-1);

/** A store of another cluster: three keys, one of them under a lease, and a deleted one. */
async function sourceStore(): Promise<MemoryBackend> {
  const backend = new MemoryBackend();
  const maker = new HistoryMaker()
    .put("a", "1")
    .put("b", "2", 7n)
    .put("gone", "3")
    .put("a", "4")
    .delete("gone");
  const lease = encodeLeaseRow({ id: 7n as LeaseId, ttlSeconds: 600, remainingTtlSeconds: 0 });
  maker.meta("lease", leaseRowKey(7n as LeaseId), Buffer.from(lease).toString("latin1"));
  maker.meta("members", "aaaa", '{"id":43690,"peerURLs":["http://old:2380"],"name":"old"}');
  maker.meta("members_removed", "bbbb", "removed");
  maker.meta("meta", "confState", '{"voters":[43690],"auto_leave":false}');
  maker.meta("cluster", "clusterVersion", "3.7.0");
  await backend.write(maker.generation());
  return backend;
}

function withHash(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, createHash("sha256").update(bytes).digest()]);
}

let files = 0;
function saved(bytes: Uint8Array): string {
  const path = join(folder, `snapshot-${files++}.db`);
  writeFileSync(path, bytes);
  return path;
}

const newFolder = () => join(folder, `data-${files++}`);
const goodSnapshot = async () => saved(withHash(snapshotOf(await sourceStore())));

describe("etcdutl snapshot status", () => {
  it("tells what etcdutl tells, in its formats", async () => {
    const path = await goodSnapshot();
    const json = JSON.parse((await utl("snapshot", "status", path, "-w", "json")).out);
    const { hash, ...rest } = json;
    assert.deepEqual(rest, { revision: 6, totalKey: 2, totalSize: 57_344, version: "3.7.0" });
    assert.equal((await utl("snapshot", "status", path)).out, `${hash.toString(16)}, 6, 2, 57 kB, 3.7.0\n`);
    const fields = (await utl("snapshot", "status", path, "-w", "fields")).out;
    assert.equal(fields, `"Hash" : ${hash}\n"Revision" : 6\n"Keys" : 2\n"Size" : 57344\n"Version" : 3.7.0\n`);
    assert.match((await utl("snapshot", "status", path, "-w", "table")).out, /│ +57 kB │ +3\.7\.0 │/);
    const protobuf = await utl("snapshot", "status", path, "-w", "protobuf");
    assert.deepEqual(protobuf, {
      status: 4,
      out: "",
      err: "Error: protobuf not supported as output format\n",
    });
  });

  it("says what is wrong with a file", async () => {
    const bytes = readFileSync(await goodSnapshot());
    const cut = await utl("snapshot", "status", saved(bytes.subarray(0, 30_000)));
    assert.equal(cut.status, 1);
    assert.match(cut.err, /^Error: bbolt: .*snapshot-\d+\.db: invalid database: the file is cut off/);
    bytes[5 * 4096] = 99;
    const damaged = await utl("snapshot", "status", saved(bytes));
    assert.equal(damaged.status, 1);
    assert.match(
      damaged.err,
      /integrity check failed\. 1 errors found\.\nbbolt: .*: page 5: says that it is page 99\n$/,
    );
    const missing = await utl("snapshot", "status", "/nowhere");
    assert.deepEqual(missing, {
      status: 1,
      out: "",
      err: "Error: stat /nowhere: no such file or directory\n",
    });
    assert.equal((await utl("snapshot", "status")).status, 128);
  });
});

describe("etcdutl snapshot restore", () => {
  const cluster = ["--name", "b", "--initial-advertise-peer-urls", "http://b:2380"];
  const members = ["--initial-cluster", "a=http://a:2380,b=http://b:2380,c=http://c:2380"];

  it("makes a folder that a server starts from", async () => {
    const dir = newFolder();
    const peers = ["--initial-cluster", "b=http://b:2380"];
    const { status, err } = await utl(
      "snapshot",
      "restore",
      await goodSnapshot(),
      "--data-dir",
      dir,
      ...cluster,
      ...peers,
    );
    assert.equal(status, 0, err);
    assert.match(
      lastLine(err)!,
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?\S*\tinfo\t\S+\trestored snapshot\t\{"path": /,
    );
    assert.match(
      err,
      /\tadded member\t\{"cluster-id": "[0-9a-f]+", .*"added-peer-peer-urls": \["http:\/\/b:2380"\]/,
    );
    assert.deepEqual(readdirSync(dir), ["member"]);

    const backend = await openBackend({ kind: "sqlite", dir: join(dir, "member", "store"), sync: false });
    const test = await startTestServer({
      backend,
      hasLog: true,
      openLog: (metadata, from) => openWal({ dir: join(dir, "member", "log"), metadata, sync: false }, from),
    });
    const { server } = test;
    assert.equal(server.store.revision, 6);
    assert.equal(test.get("a"), "4");
    assert.equal(test.get("b"), "2");
    assert.equal(test.get("gone"), undefined);
    assert.equal(finish(server.lessor.list()).length, 1);
    const [member, ...others] = server.cluster.members();
    assert.deepEqual(others, []);
    assert.equal(member!.name, "a", "the server publishes its own name");
    assert.deepEqual(member!.peerUrls, ["http://b:2380"]);
    assert.equal(server.isLeader, true);
    await test.put("new", "5");
    assert.equal(server.store.revision, 7);
    assert.deepEqual(test.fatal, []);
    const stopping = server.stop();
    await test.pass(200);
    await stopping;
  });

  it("derives ids as etcd does, and forgets the old cluster", async () => {
    const dir = newFolder();
    const path = await goodSnapshot();
    const { status, err } = await utl(
      ...["snapshot", "restore", path, "--data-dir", dir, ...cluster, ...members],
      ...["--initial-cluster-token", "etcd-cluster-1"],
    );
    assert.equal(status, 0, err);
    const backend = await openBackend({ kind: "sqlite", dir: join(dir, "member", "store"), sync: false });
    const rows = backend.meta("members", undefined, 10);
    // What etcdutl 3.7.3 makes of the same command.
    const expected = [
      '{"id":4432574188439790607,"peerURLs":["http://b:2380"],"name":"b"}',
      '{"id":5475618405737827493,"peerURLs":["http://c:2380"],"name":"c"}',
      '{"id":11029516273460224106,"peerURLs":["http://a:2380"],"name":"a"}',
    ];
    assert.deepEqual(rows.map(({ value }) => Buffer.from(value).toString()).sort(), expected.sort());
    assert.deepEqual(
      rows.map(({ key }) => key).sort(),
      [4432574188439790607n, 5475618405737827493n, 11029516273460224106n].map(formatId).sort(),
    );
    assert.deepEqual(backend.meta("members_removed", undefined, 10), []);
    const [confState] = backend.meta("meta", undefined, 10);
    assert.match(
      Buffer.from(confState!.value).toString(),
      /"voters":\[4432574188439790607,5475618405737827493,1/,
    );
    assert.equal(backend.position.appliedIndex, 3);
    assert.equal(backend.position.appliedTerm, 1);
    assert.equal(backend.meta("cluster", undefined, 10).length, 1);
    await backend.close();
    const log = { dir: join(dir, "member", "log"), metadata: new Uint8Array(0), sync: false };
    const { wal, contents } = await openWal(log, 3 as RaftIndex);
    assert.equal(contents.lastIndex, 3);
    assert.equal(contents.hardState?.commit, 3);
    assert.equal(contents.snapshot?.confState.voters.length, 3);
    await wal.close();
  });

  it("puts the log where it is told to", async () => {
    const dir = newFolder();
    const walDir = newFolder();
    const { status, err } = await utl(
      "snapshot",
      "restore",
      await goodSnapshot(),
      "--data-dir",
      dir,
      "--wal-dir",
      walDir,
    );
    assert.equal(status, 0, err);
    assert.deepEqual(readdirSync(join(dir, "member")), ["store"]);
    assert.equal(readdirSync(walDir).length, 1);
  });

  it("bumps the revision when told to", async () => {
    const dir = newFolder();
    const bump = ["--bump-revision", "1000", "--mark-compacted"];
    const { status, err } = await utl(
      "snapshot",
      "restore",
      await goodSnapshot(),
      "--data-dir",
      dir,
      ...bump,
    );
    assert.equal(status, 0, err);
    const backend = await openBackend({ kind: "sqlite", dir: join(dir, "member", "store"), sync: false });
    const store = new MvccStore({ backend, leases: { has: () => true } });
    assert.equal(store.revision, 1006);
    assert.equal(store.get(Buffer.from("a"))?.modRevision, 5);
    assert.throws(() => finish(store.hashByRevision(1005)), /compacted/);
    await backend.close();
    const one = await utl("snapshot", "restore", "x", "--mark-compacted");
    const other = await utl("snapshot", "restore", "x", "--bump-revision", "3");
    for (const { status: refused, err: why } of [one, other]) {
      assert.equal(refused, 128);
      assert.equal(why, "Error: --mark-compacted required if --revision-bump > 0\n");
    }
  });

  it("refuses what etcdutl refuses", async () => {
    const path = await goodSnapshot();
    const bytes = readFileSync(path);
    const bare = saved(bytes.subarray(0, bytes.length - 32));
    bytes[9 * 4096]! ^= 1;
    const damaged = saved(bytes);
    const full = newFolder();
    mkdirSync(join(full, "member"), { recursive: true });
    const fresh = newFolder();
    const to = ["--data-dir", fresh];
    const cases: [string[], string][] = [
      [[path, "--data-dir", full], `data-dir "${full}" not empty or could not be read`],
      [[path, ...to, "--wal-dir", full], `wal-dir "${full}" exists`],
      [[bare, ...to], "snapshot missing hash but --skip-hash-check=false"],
      [[damaged, ...to], "expected sha256 ["],
      [["/nowhere", ...to], "open /nowhere: no such file or directory"],
      [[path, ...to, "--name", "x"], `couldn't find local name "x" in the initial cluster configuration`],
      [[path, ...to, "--initial-cluster", "a=b"], "URL scheme must be http, https, unix, or unixs: b"],
      [
        [path, ...to, "--initial-advertise-peer-urls", "http://localhost:99"],
        "--initial-cluster has default=http://localhost:2380 but missing from --initial-advertise-peer-urls=http://localhost:99",
      ],
    ];
    for (const [words, message] of cases) {
      const { status, err } = await utl("snapshot", "restore", ...words);
      assert.equal(status, 1, words.join(" "));
      assert.ok(lastLine(err)!.startsWith(`Error: ${message}`), err);
    }
    const skipped = await utl("snapshot", "restore", bare, ...to, "--skip-hash-check");
    assert.equal(skipped.status, 0, skipped.err);
  });

  it("leaves nothing behind when it fails on the way", async () => {
    const bytes = snapshotOf(await sourceStore());
    // The last page of bucket key.
    const at = Buffer.from(bytes).indexOf("\x0a\x04gone");
    bytes[at + 1] = 0x7f;
    const dir = newFolder();
    const walDir = newFolder();
    const words = ["snapshot", "restore", saved(bytes), "--data-dir", dir, "--wal-dir", walDir];
    const { status, err } = await utl(...words, "--skip-hash-check");
    assert.equal(status, 1);
    assert.match(lastLine(err)!, /^Error: bbolt: .*: page \d+: row \d+_0 of bucket key cannot be read/);
    assert.deepEqual(readdirSync(dir), []);
    assert.throws(() => readdirSync(walDir), /ENOENT/);
  });
});

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { openBackend } from "../backend/open.ts";
import { HistoryMaker } from "../backend/testing/history-maker.ts";
import { type MemberId, noMember, type RaftIndex, type Term } from "../lib/ids.ts";
import { type Entry, EntryType, emptyConfState } from "../lib/raft-entry.ts";
import { lockDir } from "../runtime/dir-lock.ts";
import { makeLog } from "./data-folder/make-log.ts";
import { runUtl } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "etclite-stopped-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function utl(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  const texts = { out: "", err: "" };
  const status = await runUtl(words, {
    out: (text) => {
      texts.out += text;
    },
    err: (text) => {
      texts.err += text;
    },
  });
  return { status, ...texts };
}

const term = 2 as Term;
const entryAt = (index: number): Entry => ({
  type: EntryType.normal,
  term,
  index: index as RaftIndex,
  data: new Uint8Array(20).fill(index),
});

interface Shape {
  /** Where the store ends; the log begins behind entry 5 and has two more. */
  readonly applied?: number;
  readonly appliedTerm?: number;
  readonly confState?: string;
}

function fillHistory(maker: HistoryMaker): HistoryMaker {
  maker.put("a", "1").put("b", "2").put("a", "3").delete("b");
  for (let i = 0; i < 50; i++) maker.put(`filler/${i}`, "x".repeat(3000));
  return maker;
}

let made = 0;
/** The data folder of a member that was stopped. */
async function stopped({ applied = 5, appliedTerm = term, confState }: Shape = {}): Promise<string> {
  const dir = join(folder, `data-${made++}`);
  const member = join(dir, "member");
  mkdirSync(member, { recursive: true });
  const backend = await openBackend({ kind: "sqlite", dir: join(member, "store") });
  const maker = fillHistory(new HistoryMaker());
  maker.meta("members", "2a", '{"id":42,"peerURLs":["http://m:2380"],"name":"m"}');
  maker.meta("meta", "confState", confState ?? '{"voters":[42],"auto_leave":false}');
  await backend.write({
    ...maker.generation(),
    appliedIndex: applied as RaftIndex,
    appliedTerm: appliedTerm as Term,
  });
  await backend.close();
  await makeLog(join(member, "log"), {
    metadata: Uint8Array.of(8, 0x2a, 16, 7),
    snapshot: { index: 5 as RaftIndex, term, confState: { ...emptyConfState, voters: [42n as MemberId] } },
    entries: [entryAt(6), entryAt(7)],
    hardState: { term, vote: noMember, commit: 7 as RaftIndex },
  });
  return dir;
}

const logFile = (dir: string): string => {
  const log = join(dir, "member", "log");
  return join(log, readdirSync(log).find((name) => name.endsWith(".log") || name.endsWith(".wal"))!);
};

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 4;
  writeFileSync(path, bytes);
}

describe("utl check", () => {
  it("finds a good folder good, and says what is in it", async () => {
    const dir = await stopped();
    const { status, out, err } = await utl("check", "--data-dir", dir);
    assert.deepEqual([status, err], [0, ""]);
    assert.match(out, /^log: .*: 1 segments, 2 entries, from 6 to 7 of term 2, committed up to 7$/m);
    assert.match(
      out,
      /^store: .*store\.db: 52 keys, 54 versions, revision 55, compacted up to \S+, applied up to entry 5$/m,
    );
    assert.match(out, /^note: 2 entries of the log are not in the store yet/m);
    assert.match(out, /^no problems found\n$/m);
    const json = JSON.parse((await utl("check", "--data-dir", dir, "-w", "json")).out);
    assert.deepEqual([json.problems, json.log.lastIndex, json.store.revision], [[], 7, 55]);
  });

  it("changes nothing in the log and the store", async () => {
    const dir = await stopped();
    const store = join(dir, "member", "store", "store.db");
    const before = [readFileSync(store), readFileSync(logFile(dir))];
    await utl("check", "--data-dir", dir);
    assert.deepEqual([readFileSync(store), readFileSync(logFile(dir))], before);
  });

  it("names the file and the offset of damage to the log", async () => {
    const dir = await stopped();
    const path = logFile(dir);
    const at = readFileSync(path).indexOf(Buffer.alloc(20, 6));
    flip(path, at === -1 ? 600 : at);
    const { status, out } = await utl("check", "--data-dir", dir);
    assert.equal(status, 1);
    assert.match(out, /^problem: wal: .* in \S+ at offset \d+$/m);
    assert.match(out, /^1 problem found\n$/m);
  });

  it("names the row of damage to the store", async () => {
    const dir = await stopped();
    const path = join(dir, "member", "store", "store.db");
    // Free space of the file may hold the same bytes once more.
    const copies = [...readFileSync(path, "latin1").matchAll(/x{500}/g)];
    assert.ok(copies.length > 0);
    for (const { index } of copies) flip(path, index + 250);
    const { status, out } = await utl("check", "--data-dir", dir);
    assert.equal(status, 1);
    assert.match(out, /^problem: \S+store\.db: log row \d+: the value fails its checksum$/m);
    assert.match(out, /^\d+ problems found\n$/m);
  });

  it("finds that store and log do not belong together", async () => {
    const problemsOf = async (shape: Shape) => {
      const { status, out } = await utl("check", "--data-dir", await stopped(shape));
      return [status, ...out.split("\n").filter((line) => line.startsWith("problem"))].join("\n");
    };
    assert.match(
      await problemsOf({ applied: 3 }),
      /^1\nproblem: .*begins with entry 6, but .* ends with entry 3/,
    );
    assert.match(
      await problemsOf({ applied: 9 }),
      /^1\nproblem: .*ends with entry 7, but .* applied up to entry 9/,
    );
    assert.match(await problemsOf({ applied: 6, appliedTerm: 1 }), /^1\nproblem: .*entry 6 is of term 2/);
    assert.match(await problemsOf({ confState: "{" }), /^1\nproblem: .*who votes cannot be read/);
    assert.match(await problemsOf({ confState: '{"voters":[43]}' }), /^1\nproblem: .*2b takes part in Raft/);
  });

  it("refuses a folder that a server uses, and one that is none", async () => {
    const dir = await stopped();
    const lock = await lockDir(join(dir, "member"));
    const busy = await utl("check", "--data-dir", dir, "--timeout", "60ms");
    lock.release();
    assert.equal(busy.status, 1);
    assert.match(busy.err, /^Error: the folder .* is in use by another server\n$/);
    const none = await utl("check", "--data-dir", join(folder, "none"));
    assert.deepEqual([none.status, none.out], [1, ""]);
    assert.match(none.err, /^Error: stat .*store\.db: no such file or directory\n$/);
    assert.match((await utl("check")).err, /^Error: required flag\(s\) "data-dir" not set\nUsage:/);
  });
});

describe("utl defrag", () => {
  it("makes the file of a store smaller, and keeps what is in it", async () => {
    const dir = await stopped();
    const store = join(dir, "member", "store");
    const backend = await openBackend({ kind: "sqlite", dir: store });
    const maker = new HistoryMaker();
    // What the store holds already.
    fillHistory(maker).generation();
    for (let i = 0; i < 50; i++) maker.put(`filler/${i}`, "y");
    const last = { ...maker.generation(), appliedIndex: 7 as RaftIndex, appliedTerm: term };
    const compactRevision = last.revision;
    await backend.write({ ...last, compactRevision });
    await backend.compact(compactRevision);
    await backend.close();
    const before = statSync(join(store, "store.db")).size;
    const hash = await utl("hashkv", dir);
    const { status, out, err } = await utl("defrag", "--data-dir", dir);
    assert.deepEqual([status, out], [0, ""], err);
    assert.match(err, /\tdefragmenting\t.*\n.*\tfinished defragmenting directory\t/);
    assert.ok(statSync(join(store, "store.db")).size < before / 2, `from ${before}`);
    assert.deepEqual(await utl("hashkv", dir), hash);
    assert.equal((await utl("check", "--data-dir", dir)).status, 0);
  });

  it("says why it cannot", async () => {
    const dir = await stopped();
    const lock = await lockDir(join(dir, "member"));
    const busy = await utl("defrag", "--data-dir", dir, "--timeout", "60ms");
    lock.release();
    assert.equal(busy.status, 1);
    assert.match(
      busy.err,
      /^Error: Failed to defragment etcd data\[.*\] \(the folder .* in use by another server\)$/m,
    );
    assert.match((await utl("defrag")).err, /^Error: required flag\(s\) "data-dir" not set\nUsage:/);
    const etcd = join(folder, "etcd");
    mkdirSync(join(etcd, "member", "snap"), { recursive: true });
    writeFileSync(join(etcd, "member", "snap", "db"), "");
    assert.match((await utl("defrag", "--data-dir", etcd)).err, /holds the data of an etcd: use etcdutl/);
  });
});

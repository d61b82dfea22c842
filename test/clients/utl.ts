/**
 * `utl` beside the real etcdutl: the same words on the same files, and what they print is the same. Then the folder of a
 * server that ran: checked, defragmented, and checked again.
 */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ExecResult, exec } from "../support/exec.ts";
import type { Report } from "../support/report.ts";
import { ServerProcess } from "../support/server-process.ts";
import { tool } from "../support/tools.ts";
import { Ctl } from "./etcdctl/ctl.ts";
import { fill, hashKv } from "./store-state.ts";

export interface UtlSuite {
  readonly program: string;
  readonly folder: string;
  readonly report: Report;
}

export async function utlChecks({ program, folder, report }: UtlSuite): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const etcdutl = await tool("etcdutl");
  const etcdctl = await tool("etcdctl");
  const ours = (...args: string[]) => exec(program, ["utl", ...args], { timeoutMs: 60_000 });
  const theirs = (...args: string[]) => exec(etcdutl, args, { timeoutMs: 60_000 });
  const same = async (...args: string[]): Promise<void> => {
    const [mine, real] = [await ours(...args), await theirs(...args)];
    assert.deepEqual(shown(mine), shown(real), args.join(" "));
  };
  const saved = await snapshots({ etcd: await tool("etcd"), program }, etcdctl, folder);

  await report.check(
    "hashkv says of snapshots what etcdutl says",
    async () => {
      for (const { path, revision, compactRevision } of saved) {
        for (const format of ["simple", "json", "fields", "table", "protobuf", "yaml"]) {
          // etcdutl writes into the file that it hashes.
          copyFileSync(path, `${path}.copy`);
          await same("hashkv", `${path}.copy`, "-w", format);
        }
        const first = Math.max(1, compactRevision);
        const middle = Math.floor((first + revision) / 2);
        for (const rev of [first - 1, first, first + 1, middle, revision - 1, revision, revision + 1, -5]) {
          copyFileSync(path, `${path}.copy`);
          await same("hashkv", `${path}.copy`, `--rev=${rev}`);
        }
      }
    },
    180_000,
  );
  await report.check("hashkv leaves the file as it is, and refuses what is none", async () => {
    const { path } = saved[0]!;
    const before = readFileSync(path);
    await ours("hashkv", path);
    assert.ok(readFileSync(path).equals(before));
    writeFileSync(join(folder, "garbage"), Buffer.alloc(20_000, 7));
    const { status, stderr } = await ours("hashkv", join(folder, "garbage"));
    assert.deepEqual([status, stderr.startsWith("Error: ")], [1, true], stderr);
  });
  await report.check("what is refused is refused in etcdutl's words", async () => {
    for (const words of [
      "hashkv",
      "hashkv a b",
      "hashkv /nowhere/at/all",
      "hashkv a --rev x",
      "defrag",
      "defrag --nothing",
      "migrate --data-dir x",
      "hashkv --help",
      "defrag --help",
      "migrate --help",
      "snapshot --help",
      "version",
    ]) {
      await same(...words.split(" "));
    }
  });
  await folderChecks({ program, folder: join(folder, "server"), report }, ours, etcdctl);
}

/** Errors end in usages, which both have. */
const shown = ({ status, stdout, stderr }: ExecResult) => ({ status, stdout, stderr });

interface Saved {
  readonly path: string;
  readonly revision: number;
  readonly compactRevision: number;
}

/** Of an etcd and of the program under test, before and after work and compactions, and with no key left. */
async function snapshots(
  programs: Readonly<Record<string, string>>,
  etcdctl: string,
  folder: string,
): Promise<Saved[]> {
  const saved: Saved[] = [];
  for (const [name, program] of Object.entries(programs)) {
    const server = await ServerProcess.ready({ program, folder: join(folder, name) });
    const ctl = new Ctl(etcdctl, `127.0.0.1:${server.clientPort}`);
    const save = async (): Promise<void> => {
      const path = join(folder, `${name}-${saved.length}.db`);
      await ctl.ok(["snapshot", "save", path]);
      const { hash_revision, compact_revision } = await hashKv(ctl);
      saved.push({ path, revision: hash_revision, compactRevision: compact_revision });
    };
    await save();
    await ctl.put("first", "1");
    await save();
    for (const seed of [11, 12]) {
      await fill(server, seed);
      await save();
    }
    await ctl.ok(["del", "", "--prefix"]);
    await save();
    const { header } = await ctl.json<{ header: { revision: number } }>(["get", "nothing"]);
    await ctl.ok(["compaction", "--physical", String(header.revision)]);
    await save();
    await server.stop();
  }
  return saved;
}

async function folderChecks(
  { program, folder, report }: UtlSuite,
  ours: (...args: string[]) => Promise<ExecResult>,
  etcdctl: string,
): Promise<void> {
  const server = await ServerProcess.ready({ program, folder });
  const ctl = new Ctl(etcdctl, `127.0.0.1:${server.clientPort}`);
  for (const seed of [21, 22, 23]) await fill(server, seed);
  const { hash } = await hashKv(ctl);
  const dataDir = ["--data-dir", server.dataFolder];

  await report.check("nothing touches the folder of a server that runs", async () => {
    for (const words of [
      ["check", ...dataDir],
      ["defrag", ...dataDir],
      ["hashkv", server.dataFolder],
    ]) {
      const { status, stdout, stderr } = await ours(...words, "--timeout=100ms");
      assert.deepEqual([status, stdout], [1, ""], words.join(" "));
      assert.match(stderr, /in use by another server/);
    }
    await ctl.put("still", "writable");
    await ctl.ok(["del", "still"]);
  });
  await report.check("check finds the folder of a killed server good", async () => {
    await server.kill();
    const { status, stdout } = await ours("check", ...dataDir);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /no problems found\n$/);
  });
  await report.check("hashkv of a folder is what the server said, and defrag keeps it", async () => {
    const again = await ServerProcess.ready({ program, folder });
    const before = await hashKv(new Ctl(etcdctl, `127.0.0.1:${again.clientPort}`));
    assert.notEqual(before.hash, hash, "two revisions were written since");
    await again.stop();
    const wanted = `${before.hash}, ${before.hash_revision}, ${before.compact_revision}\n`;
    assert.equal((await ours("hashkv", server.dataFolder)).stdout, wanted);
    const { status, stderr } = await ours("defrag", ...dataDir);
    assert.equal(status, 0, stderr);
    assert.equal((await ours("hashkv", server.dataFolder)).stdout, wanted);
    const { status: checked, stdout } = await ours("check", ...dataDir);
    assert.equal(checked, 0, stdout);
    const last = await ServerProcess.ready({ program, folder });
    assert.deepEqual(await hashKv(new Ctl(etcdctl, `127.0.0.1:${last.clientPort}`)), before);
    await last.stop();
  });
  await report.check("check says what is wrong, with file and offset", async () => {
    const log = join(server.dataFolder, "member", "log");
    const path = join(log, readdirSync(log).sort()[0]!);
    const bytes = readFileSync(path);
    bytes[5000]! ^= 1;
    writeFileSync(path, bytes);
    const { status, stdout } = await ours("check", ...dataDir);
    assert.equal(status, 1, stdout);
    assert.match(stdout, /^problem: wal: .* in \S+ at offset \d+$/m);
  });
}

/**
 * Backups that cross over: a snapshot of the server under test is restored by etcdutl and served by a real etcd, that
 * one's snapshot is restored by the program under test, and all of them hold the same.
 */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { exec, mustExec } from "../support/exec.ts";
import { freePort } from "../support/ports.ts";
import type { Report } from "../support/report.ts";
import { ServerProcess } from "../support/server-process.ts";
import { tool } from "../support/tools.ts";
import { Ctl } from "./etcdctl/ctl.ts";
import { fill, hashKv, put, stateOf } from "./store-state.ts";

export interface SnapshotSuite {
  /** The server program under test. */
  readonly program: string;
  readonly folder: string;
  readonly report: Report;
}

interface Programs {
  readonly etcd: string;
  readonly etcdctl: string;
  readonly etcdutl: readonly string[];
  /** The program under test as etcdutl. */
  readonly ours: readonly string[];
}

export async function snapshotChecks(suite: SnapshotSuite): Promise<void> {
  const etcdutl = await tool("etcdutl");
  const isEtcd = basename(suite.program) === "etcd";
  const programs: Programs = {
    etcd: await tool("etcd"),
    etcdctl: await tool("etcdctl"),
    etcdutl: [etcdutl],
    ours: isEtcd ? [etcdutl] : [suite.program, "utl"],
  };
  await new Crossing(suite, programs).run();
}

class Crossing {
  readonly #suite: SnapshotSuite;
  readonly #programs: Programs;
  #files = 0;

  constructor(suite: SnapshotSuite, programs: Programs) {
    this.#suite = suite;
    this.#programs = programs;
  }

  async run(): Promise<void> {
    const { program, folder, report } = this.#suite;
    const { etcd, etcdutl, ours } = this.#programs;
    const server = await ServerProcess.ready({ program, folder: join(folder, "source") });
    await fill(server, 1);
    const first = this.#newFile();
    await report.check("etcdctl snapshot save", () => this.#save(server, first));
    await report.check("etcdutl reads it as we do", () => this.#sameStatus(first));
    await report.check("etcdutl finds the hash of its keys", () => this.#sameHash(first, server));
    await report.check("a save under writes is of one moment", () => this.#saveUnderWrites(server));
    await report.check("a save that is broken off leaves the server well", () => this.#brokenSave(server));

    const second = this.#newFile();
    await report.check("etcdutl restores it, and etcd serves the same", async () => {
      await this.#save(server, first);
      const state = await this.#stateOf(server);
      await this.#onRestored(etcdutl, etcd, first, [], async (restored) => {
        assert.deepEqual(await this.#stateOf(restored), state);
        await fill(restored, 2);
        await this.#save(restored, second);
      });
    });
    await report.check("ours reads etcd's snapshot as etcdutl does", () => this.#sameStatus(second));
    await report.check("ours restores etcd's snapshot, and serves the same", async () => {
      const expected = await this.#onRestored(etcdutl, etcd, second, [], (restored) =>
        this.#stateOf(restored),
      );
      await this.#onRestored(ours, program, second, [], async (restored) => {
        assert.deepEqual(await this.#stateOf(restored), expected);
        await fill(restored, 3);
      });
    });
    await report.check("ours bumps revisions as etcdutl does", () => this.#sameBump(second));
    await report.check("ours refuses a damaged snapshot", () => this.#refusesDamage(second));
    await server.stop();
  }

  #newFile(): string {
    return join(this.#suite.folder, `snapshot-${this.#files++}.db`);
  }

  #ctl(server: ServerProcess): Ctl {
    return new Ctl(this.#programs.etcdctl, `127.0.0.1:${server.clientPort}`);
  }

  async #save(server: ServerProcess, path: string): Promise<void> {
    const output = await this.#ctl(server).ok(["snapshot", "save", path]);
    assert.match(output, /^Snapshot saved at .*\nServer version 3\.7\.0\n$/);
    assert.equal(statSync(path).size % 512, 32);
  }

  async #sameStatus(path: string): Promise<void> {
    const { etcdutl, ours } = this.#programs;
    for (const format of ["json", "simple", "fields", "table"]) {
      const args = ["snapshot", "status", path, "-w", format];
      assert.equal(await output(ours, args), await output(etcdutl, args));
    }
  }

  async #sameHash(path: string, server: ServerProcess): Promise<void> {
    // etcdutl writes into the file that it hashes.
    const copy = this.#newFile();
    writeFileSync(copy, readFileSync(path));
    const { etcdutl } = this.#programs;
    const found = JSON.parse(await output(etcdutl, ["hashkv", copy, "-w", "json"])) as {
      hash: number;
      hashRevision: number;
    };
    const { hash } = await this.#hashKv(server, found.hashRevision);
    assert.equal(found.hash, hash);
  }

  #hashKv(server: ServerProcess, revision = 0) {
    return hashKv(this.#ctl(server), revision);
  }

  #stateOf(server: ServerProcess) {
    return stateOf(this.#ctl(server));
  }

  async #saveUnderWrites(server: ServerProcess): Promise<void> {
    let writing = true;
    let count = 0;
    const writer = async (name: string): Promise<void> => {
      for (let i = 0; writing; i++, count++) await put(server, `busy/${name}/${i % 50}`, `value ${i}`);
    };
    const writers = ["a", "b", "c"].map(writer);
    try {
      for (let i = 0; i < 3; i++) {
        const path = this.#newFile();
        await this.#save(server, path);
        await this.#sameHash(path, server);
      }
    } finally {
      writing = false;
      await Promise.all(writers);
    }
    assert.ok(count > 100, `only ${count} writes`);
  }

  async #brokenSave(server: ServerProcess): Promise<void> {
    for (let i = 0; i < 5; i++) {
      const save = this.#ctl(server).start(["snapshot", "save", this.#newFile()]);
      await new Promise((resolve) => setTimeout(resolve, 10 * i));
      await save.stop("SIGKILL");
    }
    await this.#save(server, this.#newFile());
    await put(server, "still", "there");
  }

  /** Restores a snapshot, serves it, and lets `use` look. */
  async #onRestored<T>(
    utl: readonly string[],
    program: string,
    path: string,
    flags: readonly string[],
    use: (server: ServerProcess) => Promise<T>,
  ): Promise<T> {
    const folder = join(this.#suite.folder, `restored-${this.#files++}`);
    const peerPort = await freePort();
    const peer = `http://127.0.0.1:${peerPort}`;
    const cluster = [
      "--name=suite",
      `--initial-cluster=suite=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
    ];
    await output(utl, [
      "snapshot",
      "restore",
      path,
      `--data-dir=${join(folder, "data")}`,
      ...cluster,
      ...flags,
    ]);
    const server = await ServerProcess.ready({ program, folder, peerPort });
    try {
      return await use(server);
    } finally {
      await server.stop();
    }
  }

  async #sameBump(path: string): Promise<void> {
    const { program } = this.#suite;
    const { etcd, etcdutl, ours } = this.#programs;
    const flags = ["--bump-revision=1000000", "--mark-compacted"];
    const look = async (server: ServerProcess) => {
      const ctl = this.#ctl(server);
      const { header } = await ctl.json(["get", "nothing"]);
      const watch = await ctl.run(["watch", "--rev=5", "a"], { timeoutMs: 5_000 });
      const old = await ctl.run(["get", "a", `--rev=${(header.revision as number) - 1}`]);
      const kvs = await ctl.kvs(["--prefix", ""]);
      const next = await ctl.put("after the bump", "1");
      await ctl.ok(["compaction", "--physical", String(next)]);
      const hash = await this.#hashKv(server);
      return {
        hash,
        revision: header.revision,
        watch: watch.stderr,
        old: old.stderr.split("\n").at(-2),
        kvs,
        next,
      };
    };
    const theirs = await this.#onRestored(etcdutl, etcd, path, flags, look);
    const mine = await this.#onRestored(ours, program, path, flags, look);
    assert.deepEqual(mine, theirs);
  }

  async #refusesDamage(path: string): Promise<void> {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    const damaged = this.#newFile();
    writeFileSync(damaged, bytes);
    const folder = join(this.#suite.folder, "never");
    const [program, ...words] = this.#programs.ours as [string, ...string[]];
    const result = await exec(program, [...words, "snapshot", "restore", damaged, `--data-dir=${folder}`]);
    assert.equal(result.status, 1);
    assert.match(result.stderr, /Error: expected sha256 \[\d/);
  }
}

async function output(program: readonly string[], args: readonly string[]): Promise<string> {
  const [file, ...words] = program as [string, ...string[]];
  return (await mustExec(file, [...words, ...args], { timeoutMs: 120_000 })).stdout;
}

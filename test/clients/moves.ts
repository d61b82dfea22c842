/**
 * Moving: a real etcd's data folder becomes that of the program under test and back, whole and member by member, and
 * everything is there each time.
 */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { exec, mustExec } from "../support/exec.ts";
import { freePort } from "../support/ports.ts";
import type { Report } from "../support/report.ts";
import { ServerProcess } from "../support/server-process.ts";
import { tool } from "../support/tools.ts";
import { Ctl } from "./etcdctl/ctl.ts";
import { fill, put, stateOf } from "./store-state.ts";

export interface MoveSuite {
  readonly program: string;
  readonly folder: string;
  readonly report: Report;
}

/** One member that is started again and again on the same folder and ports, by either program. */
interface Place {
  readonly folder: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly flags?: readonly string[];
}

export async function moveChecks({ program, folder, report }: MoveSuite): Promise<void> {
  const etcd = await tool("etcd");
  const etcdctl = await tool("etcdctl");
  const ctl = (server: ServerProcess) => new Ctl(etcdctl, `127.0.0.1:${server.clientPort}`);
  const place: Place = {
    folder: join(folder, "one"),
    clientPort: await freePort(),
    peerPort: await freePort(),
  };
  let state: unknown;

  await report.check("ours starts on the folder of an etcd that was killed", async () => {
    const theirs = await ServerProcess.ready({ program: etcd, ...place });
    await fill(theirs, 1);
    state = await stateOf(ctl(theirs));
    const ours = await exec(program, [
      "utl",
      "import",
      `--from-etcd=${theirs.dataFolder}`,
      `--data-dir=${folder}/no`,
    ]);
    assert.equal(ours.status, 1);
    assert.match(ours.stderr, /is in use: stop the etcd that runs on it first/);
    await theirs.kill();
    cpSync(join(place.folder, "data"), join(folder, "copy"), { recursive: true });
    const server = await ServerProcess.ready({ program, ...place });
    assert.match(server.log(), /imported the data of an etcd/);
    assert.deepEqual(await stateOf(ctl(server)), state);
    assert.deepEqual(readdirSync(server.dataFolder).sort(), ["lock", "member", "member.etcd"]);
    await fill(server, 2);
    state = await stateOf(ctl(server));
    await server.kill();
  });

  await report.check("etcd starts on what is exported", async () => {
    const to = join(folder, "exported", "data");
    await mustExec(program, ["utl", "export", `--to-etcd=${to}`, `--data-dir=${place.folder}/data`], {});
    const theirs = await ServerProcess.ready({ program: etcd, ...place, folder: join(folder, "exported") });
    assert.deepEqual(await stateOf(ctl(theirs)), state);
    await fill(theirs, 3);
    await theirs.stop();
    const again = await ServerProcess.ready({ program: etcd, ...place, folder: join(folder, "exported") });
    await again.stop();
  });

  await report.check("utl import leaves etcd's folder as it is", async () => {
    const to = join(folder, "imported", "data");
    const arguments_ = ["utl", "import", `--from-etcd=${folder}/copy`, `--data-dir=${to}`];
    await mustExec(program, arguments_, {});
    assert.ok(existsSync(join(folder, "copy/member/snap/db")));
    const server = await ServerProcess.ready({ program, ...place, folder: join(folder, "imported") });
    await server.stop();
    const second = await exec(program, arguments_);
    assert.equal(second.status, 1);
    assert.match(second.stderr, /exists already/);
  });

  await report.check(
    "a cluster of three moves member by member, and back, while it serves",
    () => moveCluster({ program, etcd, folder: join(folder, "three"), ctl }),
    180_000,
  );
}

interface ClusterMove {
  readonly program: string;
  readonly etcd: string;
  readonly folder: string;
  readonly ctl: (server: ServerProcess) => Ctl;
}

async function moveCluster({ program, etcd, folder, ctl }: ClusterMove): Promise<void> {
  const ports = await Promise.all(Array.from({ length: 6 }, () => freePort()));
  const peer = (at: number) => `http://127.0.0.1:${ports[at + 3]}`;
  const initial = [0, 1, 2].map((at) => `m${at}=${peer(at)}`).join(",");
  const places = [0, 1, 2].map((at): Place => {
    mkdirSync(join(folder, `m${at}`), { recursive: true });
    const flags = [`--name=m${at}`, `--initial-cluster=${initial}`];
    return { folder: join(folder, `m${at}`), clientPort: ports[at]!, peerPort: ports[at + 3]!, flags };
  });
  const servers = await Promise.all(places.map((place) => ServerProcess.start({ program: etcd, ...place })));
  await Promise.all(servers.map((server) => server.ready()));
  await fill(servers[0]!, 4);
  const restart = async (at: number, by: string, between = () => Promise.resolve()): Promise<void> => {
    await servers[at]!.stop();
    await put(servers[(at + 1) % 3]!, `while ${at} moves`, by);
    await between();
    servers[at] = await ServerProcess.ready({ program: by, ...places[at]! });
    await put(servers[at]!, `after ${at} moved`, by);
    await agree(servers, ctl);
  };
  for (const at of [0, 1, 2]) await restart(at, program);
  await fill(servers[1]!, 5);
  for (const at of [0, 1, 2]) {
    const data = join(places[at]!.folder, "data");
    await restart(at, etcd, async () => {
      await mustExec(program, ["utl", "export", `--to-etcd=${data}.back`, `--data-dir=${data}`], {});
      await mustExec("mv", [data, `${data}.ours`], {});
      await mustExec("mv", [`${data}.back`, data], {});
    });
  }
  await Promise.all(servers.map((server) => server.stop()));
}

/** Waits until all have the same. */
async function agree(servers: readonly ServerProcess[], ctl: (server: ServerProcess) => Ctl): Promise<void> {
  const endMs = performance.now() + 20_000;
  for (;;) {
    const states = await Promise.all(servers.map((server) => stateOf(ctl(server))));
    const texts = new Set(states.map((state) => JSON.stringify(state)));
    if (texts.size === 1) return;
    assert.ok(
      performance.now() < endMs,
      `the members differ: ${[...texts].map((t) => t.slice(0, 300)).join("\n")}`,
    );
  }
}

/**
 * What the README promises to somebody with nothing but it and one archive: the commands between its two marks are run as
 * they stand, in an empty folder beside an archive, and have to end well within five minutes. Only the ports are others,
 * so that a server of the machine is not in the way.
 */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { createConnection } from "node:net";
import { basename, join } from "node:path";
import { exec, mustExec } from "../support/exec.ts";
import { httpGet } from "../support/http.ts";
import type { Report } from "../support/report.ts";
import { commandsOf, ScriptRun } from "./script-run.ts";

export interface QuickstartSuite {
  readonly program: string;
  readonly folder: string;
  readonly report: Report;
}

const minutesMax = 5;
const archiveName = "etclite-v0.0.0-linux-amd64";

export async function quickstartChecks({ program, folder, report }: QuickstartSuite): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await layOutArchive(program, folder);
  const ports = await freePorts();
  const script = commandsOf("README.md", "quickstart")
    .replaceAll("2379", ports.client)
    .replaceAll("2380", ports.peer);
  // Machines of tests may be busy: etcdctl gives up after five seconds by itself.
  const run = new ScriptRun(script, folder, { PATH: process.env["PATH"], ETCDCTL_COMMAND_TIMEOUT: "30s" });
  try {
    await report.check(
      "the README's commands make a cluster with TLS and users",
      async () => {
        const { status, output, tookMs } = await run.ended;
        assert.equal(status, 0, output);
        assert.ok(tookMs < minutesMax * 60_000, `took ${tookMs} ms`);
        console.log(`     from the archive to the last answer: ${(tookMs / 1000).toFixed(1)} s`);
        assert.match(output, /^Authentication Enabled\nOK\napp\/greeting\nhello\n/m);
        assert.match(output, /^Error: etcdserver: permission denied\nrefused, as it should be\n/m);
        assert.equal(output.match(/│ https:\/\/127\.0\.0\.1:\d+ │/g)?.length, 3, output);
      },
      minutesMax * 60_000,
    );
    await report.check("nobody gets in without TLS or without a user", async () => {
      const port = `1${ports.client}`;
      const plain = await httpGet(Number(port), "/version").catch(() => undefined);
      assert.notEqual(plain?.status, 200, "an answer without TLS");
      const inside = join(folder, archiveName);
      const env = { ETCDCTL_CACERT: "ca.crt", ETCDCTL_ENDPOINTS: `https://127.0.0.1:${port}` };
      const { status, stderr } = await exec(join(inside, "etcdctl"), ["get", "app/greeting"], {
        cwd: inside,
        env,
      });
      assert.notEqual(status, 0);
      assert.match(stderr, /user name is empty/);
    });
  } finally {
    await run.end();
  }
}

/** As `npm run release` makes it, but for what it says of itself. */
async function layOutArchive(program: string, folder: string): Promise<void> {
  const inside = join(folder, "made", archiveName);
  mkdirSync(inside, { recursive: true });
  copyFileSync(program, join(inside, "etcd"));
  // A real etcd, which the suite is tried with, has its other programs beside it.
  for (const name of ["etclite", "etcdctl", "etcdutl"]) {
    if (basename(program) !== "etcd") symlinkSync("etcd", join(inside, name));
    else if (name !== "etclite") copyFileSync(join(program, "..", name), join(inside, name));
  }
  const archive = join(folder, `${archiveName}.tar.gz`);
  await mustExec("tar", ["-I", "gzip -1", "-cf", archive, "-C", join(folder, "made"), archiveName], {});
}

/** What stands behind 1, 2 and 3 in the README: two numbers of four digits that are free behind all of them. */
async function freePorts(): Promise<{ client: string; peer: string }> {
  for (let client = 2400 + (process.pid % 300); client < 2760; client += 2) {
    const all = [1, 2, 3].flatMap((member) => [member * 10_000 + client, member * 10_000 + client + 1]);
    const taken = await Promise.all(all.map(isTaken));
    if (!taken.includes(true)) return { client: String(client), peer: String(client + 1) };
  }
  throw new Error("no free ports");
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

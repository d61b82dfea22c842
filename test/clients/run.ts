/**
 * `npm run clients`: real clients against the server program, with real assertions. Each client has a server of its
 * own. A client that is a program prints `PASS name` or `FAIL name: why` for each of its checks, and at its end `DONE`.
 */
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { exec } from "../support/exec.ts";
import { repository } from "../support/paths.ts";
import { freePort } from "../support/ports.ts";
import { Report } from "../support/report.ts";
import { commonHelp, commonOptions, scratchFolder, serverProgram } from "../support/scratch.ts";
import { ServerProcess } from "../support/server-process.ts";
import { tool } from "../support/tools.ts";
import { documentChecks } from "./documents.ts";
import { Ctl, type CtlContext } from "./etcdctl/ctl.ts";
import { kvChecks } from "./etcdctl/kv.ts";
import { leaseChecks } from "./etcdctl/lease.ts";
import { maintenanceChecks } from "./etcdctl/maintenance.ts";
import { makeTls, tlsChecks } from "./etcdctl/tls.ts";
import { txnChecks } from "./etcdctl/txn.ts";
import { watchChecks } from "./etcdctl/watch.ts";
import { httpChecks } from "./http.ts";
import { later } from "./later.ts";
import { moveChecks } from "./moves.ts";
import { type ClientProgram, goClient, javaClient, pythonClient } from "./programs.ts";
import { proxyChecks } from "./proxy.ts";
import { quickstartChecks } from "./quickstart.ts";
import { snapshotChecks } from "./snapshots.ts";
import { utlChecks } from "./utl.ts";

/** Suites of their own, in a process each. */
const suites = ["browser", "gateway"] as const;
const clients = [
  "http",
  "etcdctl",
  "etcdctl-tls",
  "snapshots",
  "utl",
  "moves",
  "quickstart",
  "docs",
  "go",
  "python",
  "java",
  "proxy",
  ...suites,
];
const { values: options } = parseArgs({
  options: {
    ...commonOptions,
    only: { type: "string", default: clients.join() },
    run: { type: "string" },
    quick: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(`usage: npm run clients -- [options]
${commonHelp}
  --only LIST     of ${clients.join()}
  --run REGEX     only checks whose name matches ("etcdctl watch of a key")
  --quick         without check perf, which takes a minute`);
  process.exit(0);
}

const program = serverProgram(options.server);
const folder = scratchFolder("clients", options);
const filter = options.run === undefined ? undefined : new RegExp(options.run);
const reports: Report[] = [];
const only = options.only.split(",");
for (const name of only) if (!clients.includes(name)) throw new Error(`--only has no client ${name}`);

if (only.includes("http")) {
  const report = newReport("http");
  await withServer("http", (server) => httpChecks(server, report));
}
if (only.includes("etcdctl")) {
  const report = newReport("etcdctl");
  await withServer("etcdctl", async (server) => {
    const ctl = new Ctl(await tool("etcdctl"), `127.0.0.1:${server.clientPort}`);
    await etcdctlChecks({ ctl, server, report, quick: options.quick });
  });
}
if (only.includes("etcdctl-tls")) {
  const report = newReport("etcdctl-tls");
  const clientPort = await freePort();
  const tls = await makeTls(join(folder, "certificates"), clientPort);
  const from = { clientPort, flags: tls.server };
  await withServer(
    "etcdctl-tls",
    async (server) => {
      const ctl = new Ctl(await tool("etcdctl"), `127.0.0.1:${clientPort}`, tls.client);
      await etcdctlChecks({ ctl, server, report, quick: true });
      await tlsChecks(server, tls, report);
    },
    from,
  );
}
if (only.includes("snapshots")) {
  await snapshotChecks({ program, folder: join(folder, "snapshots"), report: newReport("snapshots") });
}
if (only.includes("utl")) {
  if (basename(program) === "etcd")
    newReport("utl").skipped("all", "it is about the program that has utl in it");
  else await utlChecks({ program, folder: join(folder, "utl"), report: newReport("utl") });
}
if (only.includes("moves")) {
  await moveChecks({ program, folder: join(folder, "moves"), report: newReport("moves") });
}
if (only.includes("quickstart")) {
  const report = newReport("quickstart");
  await quickstartChecks({ program, folder: join(folder, "quickstart"), report });
}
if (only.includes("docs")) {
  await documentChecks({ program, folder: join(folder, "docs"), report: newReport("docs") });
}
if (only.includes("go")) await runProgram("go", goClient);
if (only.includes("python")) await runProgram("python", pythonClient);
if (only.includes("java")) await runProgram("java", javaClient);
if (only.includes("proxy")) {
  await proxyChecks({ program, folder: join(folder, "proxy"), newReport, run: options.run });
}

for (const name of suites) if (only.includes(name)) await runSuite(name);

const total = new Report();
total.addAll(reports);
total.finish();

function newReport(prefix: string): Report {
  const report = new Report({ prefix, filter, mayFail: later });
  reports.push(report);
  return report;
}

async function etcdctlChecks(context: CtlContext): Promise<void> {
  for (const checks of [kvChecks, txnChecks, watchChecks, leaseChecks, maintenanceChecks]) {
    await checks(context);
  }
}

async function withServer(
  name: string,
  body: (server: ServerProcess) => Promise<void>,
  from: { readonly clientPort?: number; readonly flags?: readonly string[] } = {},
): Promise<void> {
  const flags = ["--watch-progress-notify-interval=500ms", ...(from.flags ?? [])];
  const server = await ServerProcess.ready({ ...from, program, folder: join(folder, name), flags });
  await body(server);
  const stopped = server.stop(5_000);
  await newReport(name).check("the server ends in time when asked", () => stopped, 10_000);
  await stopped.catch(() => undefined); // told above
}

/** Runs a client program and counts its lines. One that ends before it says DONE has failed. */
async function runProgram(name: string, prepare: () => Promise<ClientProgram>): Promise<void> {
  const client = await prepare();
  await withServer(name, async (server) => {
    const report = newReport(name);
    let done = false;
    const onLine = (line: string): void => {
      if (line === "DONE") done = true;
      else report.countLine(line);
    };
    const args = [...client.args, `127.0.0.1:${server.clientPort}`, ...(options.run ? [options.run] : [])];
    const result = await exec(client.program, args, { onLine, timeoutMs: 300_000 });
    if (!done || result.status !== 0 || result.timedOut) {
      const output = `${result.stdout.slice(-3000)}\n${result.stderr.slice(-6000)}`;
      report.fail("ends as it should", `status ${result.status}${done ? "" : ", not done"}\n${output}`);
    }
  });
}

/** Runs a suite that has a command of its own, and counts the lines of its checks. */
async function runSuite(name: (typeof suites)[number]): Promise<void> {
  const report = newReport(name);
  const args = [join(repository, "test", name, "run.ts"), "--server", program];
  if (options.dir !== undefined) args.push("--dir", options.dir);
  if (options.keep) args.push("--keep");
  if (name === "browser" && options.run !== undefined) args.push("--only", options.run);
  let last = "";
  const onLine = (line: string): void => {
    last = line;
    report.countLine(line);
  };
  const result = await exec(process.execPath, args, { onLine, timeoutMs: 600_000 });
  const { status, stdout, stderr } = result;
  if (status === 0) report.pass("ends well", last);
  else report.fail("ends well", `status ${status}\n${stdout.slice(-6000)}\n${stderr.slice(-3000)}`);
}

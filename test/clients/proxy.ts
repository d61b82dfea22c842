/** Clients through `grpc-proxy start`, before the program under test and before etcd itself. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exec, tie } from "../support/exec.ts";
import { httpGet } from "../support/http.ts";
import { freePort } from "../support/ports.ts";
import { eventually, type Report } from "../support/report.ts";
import { cleanEnvironment, ServerProcess } from "../support/server-process.ts";
import { tool } from "../support/tools.ts";
import { Ctl } from "./etcdctl/ctl.ts";
import { kvChecks } from "./etcdctl/kv.ts";
import { leaseChecks } from "./etcdctl/lease.ts";
import { txnChecks } from "./etcdctl/txn.ts";
import { watchChecks } from "./etcdctl/watch.ts";
import { goClient } from "./programs.ts";

export interface ProxySuite {
  /** The proxy, and the server before which it stands first. */
  readonly program: string;
  readonly folder: string;
  readonly newReport: (prefix: string) => Report;
  /** Only checks whose name matches. */
  readonly run: string | undefined;
}

export async function proxyChecks(suite: ProxySuite): Promise<void> {
  await checksBefore("ours", suite.program, suite);
  await checksBefore("etcd", await tool("etcd"), suite);
}

async function checksBefore(name: string, serverProgram: string, suite: ProxySuite): Promise<void> {
  const { program, newReport } = suite;
  const folder = join(suite.folder, name);
  const flags = ["--watch-progress-notify-interval=500ms"];
  const server = await ServerProcess.ready({ program: serverProgram, folder, flags });
  // What is too large is for the server to refuse.
  const proxy = await ProxyProcess.start(program, folder, server, ["--max-send-bytes=4194304"]);
  const inside = await ProxyProcess.start(program, folder, server, ["--namespace=inside/"]);
  try {
    const report = newReport(`proxy before ${name}:`);
    const etcdctl = await tool("etcdctl");
    const ctl = new Ctl(etcdctl, proxy.address);
    const context = { ctl, server, report, quick: true };
    for (const checks of [kvChecks, txnChecks, watchChecks, leaseChecks]) await checks(context);
    await goChecks(proxy, report, suite.run);
    await sharingChecks(context, proxy);
    await namespaceChecks(context, new Ctl(etcdctl, inside.address));
    await authChecks(context);
    await report.check("the proxy ends when asked", async () => assert.equal(await proxy.stop(), 0), 10_000);
  } finally {
    for (const one of [proxy, inside]) await one.stop();
    await server.stop(5_000).catch(() => undefined);
  }
}

interface ProxyContext {
  readonly ctl: Ctl;
  readonly server: ServerProcess;
  readonly report: Report;
}

/** Checks of Go's client that want to see the members themselves. */
const notOfProxies = ["alarms and members"];

async function goChecks(proxy: ProxyProcess, report: Report, run: string | undefined): Promise<void> {
  const { program, args } = await goClient();
  let isDone = false;
  const onLine = (line: string): void => {
    if (line === "DONE") isDone = true;
    else if (notOfProxies.some((name) => line.startsWith(`FAIL ${name}`))) {
      report.skipped(line.slice(5).split(": ")[0] as string, "the members that a proxy tells are proxies");
    } else report.countLine(line);
  };
  const result = await exec(program, [...args, proxy.address, ...(run === undefined ? [] : [run])], {
    onLine,
    timeoutMs: 300_000,
  });
  if (!isDone)
    report.fail("Go's client ends as it should", `status ${result.status}\n${result.stderr.slice(-3000)}`);
}

async function sharingChecks({ ctl, server, report }: ProxyContext, proxy: ProxyProcess): Promise<void> {
  await report.check("watches of ten clients are one at the server", async () => {
    const watchers = async () => {
      const { body } = await httpGet(server.clientPort, "/metrics");
      return Number(/^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(body)?.[1]);
    };
    const before = await watchers();
    const watches = Array.from({ length: 10 }, () => ctl.start(["watch", "shared"]));
    const { body: own } = await httpGet(proxy.port, "/proxy/metrics");
    assert.match(own, /^etcd_grpc_proxy_watchers_coalescing_total \d+$/m);
    const sharing = async () => {
      const { body } = await httpGet(proxy.port, "/proxy/metrics");
      return /^etcd_grpc_proxy_watchers_coalescing_total 9$/m.test(body);
    };
    await eventually("all ten share a watch", sharing);
    await ctl.put("shared", "1");
    for (const watch of watches) assert.deepEqual(await watch.has(3), ["PUT", "shared", "1"]);
    assert.equal(await watchers(), before + 1);
    for (const watch of watches) await watch.stop();
  });
  await report.check("health, the server's metrics and the members", async () => {
    assert.match((await httpGet(proxy.port, "/health")).body, /"health":"true"/);
    assert.match((await httpGet(proxy.port, "/proxy/health")).body, /"health":"true"/);
    assert.match((await httpGet(proxy.port, "/metrics")).body, /^etcd_server_has_leader 1$/m);
    assert.match(await ctl.ok(["member", "list"]), new RegExp(proxy.address));
  });
}

async function namespaceChecks({ ctl, report }: ProxyContext, inside: Ctl): Promise<void> {
  await report.check("a namespace: put, get, del and txn", async () => {
    await inside.put("n/a", "1");
    await ctl.put("n/a", "not seen inside");
    assert.equal(await inside.ok(["get", "--prefix", "n/"]), "n/a\n1\n");
    assert.equal(await ctl.ok(["get", "inside/n/a"]), "inside/n/a\n1\n");
    const input = 'value("n/a") = "1"\n\nput n/b 2\nget n/a\n\n\n';
    assert.equal(await inside.ok(["txn"], { input }), "SUCCESS\n\nOK\n\nn/a\n1\n");
    assert.equal(await inside.ok(["del", "", "--from-key"]), "2\n");
    assert.equal(await ctl.ok(["get", "n/a"]), "n/a\nnot seen inside\n");
  });
  await report.check("a namespace: watch and lock", async () => {
    const watch = inside.start(["watch", "--prefix", "w/"]);
    await eventually("the watch sees a key", async () => {
      await inside.put("w/1", "x");
      return watch.lines.length >= 3;
    });
    assert.deepEqual(watch.lines.slice(0, 3), ["PUT", "w/1", "x"]);
    await watch.stop();
    const holder = inside.start(["lock", "l"]);
    assert.match((await holder.has(1))[0] as string, /^l\/[0-9a-f]+$/);
    assert.equal((await ctl.kvs(["--prefix", "inside/l/"])).length, 1);
    await holder.stop();
  });
}

/** At the end: a server with auth is not what the others expect. */
async function authChecks({ ctl, report }: ProxyContext): Promise<void> {
  await report.check("users: what they may do, read and watch", async () => {
    await ctl.ok(["user", "add", "root:root"]);
    await ctl.ok(["user", "grant-role", "root", "root"]).catch(async () => {
      await ctl.ok(["role", "add", "root"]);
      await ctl.ok(["user", "grant-role", "root", "root"]);
    });
    await ctl.ok(["user", "add", "ann:ann"]);
    await ctl.ok(["role", "add", "reader"]);
    await ctl.ok(["role", "grant-permission", "reader", "read", "auth/k"]);
    await ctl.ok(["user", "grant-role", "ann", "reader"]);
    await ctl.ok(["auth", "enable", "--user=root:root"]).catch(() => ctl.ok(["auth", "enable"]));
    try {
      await ctl.fails(["get", "auth/k"], /user name is empty/);
      await ctl.put("auth/k", "1", "--user=root:root");
      assert.equal(await ctl.ok(["get", "auth/k", "--user=ann:ann"]), "auth/k\n1\n");
      await ctl.fails(["put", "auth/k", "2", "--user=ann:ann"], /permission denied/);
      await ctl.fails(["get", "auth/other", "--user=ann:ann"], /permission denied/);
      const watches = ["root:root", "ann:ann"].map((user) =>
        ctl.start(["watch", "auth/k", `--user=${user}`]),
      );
      await eventually("both see a change", async () => {
        await ctl.put("auth/k", "2", "--user=root:root");
        return watches.every(({ lines }) => lines.length >= 3);
      });
      for (const watch of watches) {
        assert.deepEqual(watch.lines.slice(0, 3), ["PUT", "auth/k", "2"]);
        await watch.stop();
      }
      const refused = ctl.start(["watch", "auth/other", "--user=ann:ann"]);
      await refused.ended;
      assert.match(refused.stderr, /permission denied/);
    } finally {
      await ctl.ok(["auth", "disable", "--user=root:root"]);
    }
  });
}

class ProxyProcess {
  readonly port: number;
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  private constructor(child: ChildProcess, port: number) {
    this.port = port;
    this.address = `127.0.0.1:${port}`;
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once("exit", resolve));
  }

  /** Resolves when it is healthy. Rejects with what it said. */
  static async start(
    program: string,
    folder: string,
    server: ServerProcess,
    flags: readonly string[],
  ): Promise<ProxyProcess> {
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    mkdirSync(folder, { recursive: true });
    const logFile = join(folder, `proxy-${port}.log`);
    const log = openSync(logFile, "a");
    const own = [`--endpoints=127.0.0.1:${server.clientPort}`, `--listen-addr=${address}`];
    const words = ["grpc-proxy", "start", ...own, `--advertise-client-url=${address}`, ...flags];
    const child = spawn(program, words, { stdio: ["ignore", log, log], env: cleanEnvironment() });
    closeSync(log);
    tie(child);
    const proxy = new ProxyProcess(child, port);
    const isHealthy = async () => {
      const answer = await httpGet(port, "/health").catch(() => undefined);
      return answer?.status === 200;
    };
    await eventually("the proxy is healthy", isHealthy).catch((error: Error) => {
      throw new Error(`${error.message}\n${readFileSync(logFile, "utf8").slice(-3000)}`);
    });
    return proxy;
  }

  /** Its status. */
  stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    return this.#ended;
  }
}

/** TLS between members: ours, and ours with real etcds. */
import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { eventually, type Report } from "../support/report.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { tool } from "../support/tools.ts";
import { host, linesOf, type World } from "./world.ts";

interface Plan {
  readonly name: string;
  readonly program: string | undefined;
  readonly port: number;
}

/** Three members; which of them are etcd's is said by their letters: "o" ours, "e" etcd. */
async function startCluster(world: World, kinds: string, security: readonly string[]) {
  const etcd = kinds.includes("e") ? await tool("etcd") : undefined;
  const plans: Plan[] = [];
  for (const [i, kind] of [...kinds].entries()) {
    plans.push({ name: `m${i}`, program: kind === "e" ? etcd : undefined, port: await freePort() });
  }
  const initial = plans.map(({ name, port }) => `${name}=https://127.0.0.1:${port}`).join(",");
  const servers = await Promise.all(plans.map((plan) => startMember(world, plan, initial, security)));
  await Promise.all(servers.map((server) => world.untilReady(server)));
  return servers;
}

function startMember(world: World, plan: Plan, initial: string, security: readonly string[]) {
  const peer = `https://127.0.0.1:${plan.port}`;
  return world.launch(
    () => [
      ...security,
      `--name=${plan.name}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=${initial}`,
    ],
    plan.program === undefined ? {} : { program: plan.program },
  );
}

/** What is put through each member is there on each of the others. */
async function replicates(world: World, servers: readonly ServerProcess[]): Promise<void> {
  for (const [i, server] of servers.entries()) {
    const put = await world.ctl(server.url, "put", `from-${i}`, String(i));
    assert.equal(put.stdout, "OK\n", put.stderr);
  }
  for (const server of servers) {
    const found = await world.ctl(server.url, "get", "from-", "--prefix", "--print-value-only");
    assert.equal(found.stdout, servers.map((_server, i) => `${i}\n`).join(""));
  }
}

const stopAll = (servers: readonly ServerProcess[]) => Promise.all(servers.map((server) => server.stop()));

export async function memberChecks(world: World, report: Report): Promise<void> {
  world.putPair("member", await world.authority.issue({ commonName: "member", ...host }));
  const mutual = [
    `--peer-cert-file=${world.path("member.crt")}`,
    `--peer-key-file=${world.path("member.key")}`,
    `--peer-trusted-ca-file=${world.path("ca.crt")}`,
    "--peer-client-cert-auth",
  ];
  const clusters: [string, string, readonly string[]][] = [
    ["three members, certificates both ways", "ooo", mutual],
    ["three members, by their common name", "ooo", [...mutual, "--peer-cert-allowed-cn=member"]],
    ["three members, by their host name", "ooo", [...mutual, "--peer-cert-allowed-hostname=localhost"]],
    ["three members, certificates of their own making", "ooo", ["--peer-auto-tls"]],
    ["two of etcd and one of ours, certificates both ways", "eeo", mutual],
    [
      "one of etcd and two of ours, by their common name",
      "eoo",
      [...mutual, "--peer-cert-allowed-cn=member"],
    ],
    ["two of etcd and one of ours, certificates of their own making", "eeo", ["--peer-auto-tls"]],
    [
      "one of etcd and two of ours, TLS 1.2, certificates of their own making",
      "eoo",
      ["--peer-auto-tls", "--tls-max-version=TLS1.2"],
    ],
  ];
  for (const [name, kinds, security] of clusters) {
    await report.check(name, async () => {
      const servers = await startCluster(world, kinds, security);
      await replicates(world, servers);
      await stopAll(servers);
    });
  }

  await report.check("a member from another address than its certificate's is refused", async () => {
    world.putPair("elsewhere", await world.authority.issue({ commonName: "member", ips: ["10.9.8.7"] }));
    const elsewhere = [
      ...mutual,
      `--peer-client-cert-file=${world.path("elsewhere.crt")}`,
      `--peer-client-key-file=${world.path("elsewhere.key")}`,
    ];
    const server = await world.launch(({ peer }) => [
      ...elsewhere,
      "--name=m0",
      `--listen-peer-urls=https://${peer}`,
      `--initial-advertise-peer-urls=https://${peer}`,
      `--initial-cluster=m0=https://${peer},m1=https://127.0.0.1:1`,
    ]);
    await eventually("a port", async () => server.log().includes("serving peer traffic"));
    const { request } = await import("node:https");
    const { readFileSync } = await import("node:fs");
    const files = {
      cert: readFileSync(world.path("elsewhere.crt")),
      key: readFileSync(world.path("elsewhere.key")),
    };
    await assert.rejects(
      new Promise((resolve, reject) => {
        const url = `https://127.0.0.1:${server.peerPort}/version`;
        const asking = request(url, { ...files, ca: world.authority.cert, agent: false }, resolve);
        asking.on("error", reject);
        asking.end();
      }),
    );
    const find = () => linesOf(server, "rejected connection on peer endpoint")[0];
    await eventually("a line in the log", async () => find() !== undefined);
    const line = find();
    assert.equal(line?.["error"], "x509: certificate is valid for 10.9.8.7, not 127.0.0.1");
    assert.deepEqual(line?.["ip-addresses"], ["10.9.8.7"]);
    await server.kill();
  });
}

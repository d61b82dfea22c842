/** TLS between clients and a server. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { TestAuthority } from "../../src/transport/testing/make-certificates.ts";
import { freePort } from "../support/ports.ts";
import { eventually, type Report } from "../support/report.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { host, linesOf, type World } from "./world.ts";

const clientUrls = (url: string): string[] => [
  `--listen-client-urls=${url}`,
  `--advertise-client-urls=${url.split(",")[0]}`,
];

function get(url: string, ca: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith("https:") ? httpsRequest : httpRequest)(url, { ca }, (response) => {
      let body = "";
      response.on("data", (piece) => {
        body += piece;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on("error", reject);
    request.end();
  });
}

export async function clientChecks(world: World, report: Report): Promise<void> {
  const own = [`--cert-file=${world.path("server.crt")}`, `--key-file=${world.path("server.key")}`];
  const mutual = [...own, `--trusted-ca-file=${world.path("ca.crt")}`, "--client-cert-auth"];
  const ca = world.authority.cert;

  await report.check("gRPC, HTTP/1.1, health and metrics over TLS, and plain beside it", async () => {
    const metrics = `https://127.0.0.1:${await freePort()}`;
    const server = await world.start(({ client }) => [
      ...own,
      ...clientUrls(`https://${client},http://${client}`),
      `--listen-metrics-urls=${metrics}`,
    ]);
    const secure = `https://127.0.0.1:${server.clientPort}`;
    assert.equal((await world.ctl(secure, ...world.trusting, "put", "a", "1")).stdout, "OK\n");
    assert.equal((await world.ctl(server.url, "get", "a")).stdout, "a\n1\n");
    assert.match((await get(`${secure}/health`, ca)).body, /"health":"true"/);
    assert.match((await get(`${secure}/metrics`, ca)).body, /etcd_server_has_leader 1/);
    assert.match((await get(`${metrics}/metrics`, ca)).body, /etcd_server_has_leader 1/);
    assert.match((await get(`${metrics}/health`, ca)).body, /"health":"true"/);
    await server.stop();
  });

  await report.check("a port for HTTP of its own, over TLS", async () => {
    const http = `https://127.0.0.1:${await freePort()}`;
    const server = await world.start(({ client }) => [
      ...own,
      ...clientUrls(`https://${client}`),
      `--listen-client-http-urls=${http}`,
    ]);
    assert.match((await get(`${http}/health`, ca)).body, /"health":"true"/);
    assert.equal((await get(`https://127.0.0.1:${server.clientPort}/health`, ca)).status, 404);
    await server.stop();
  });

  await report.check("HTTP to a TLS port is told so", async () => {
    const server = await world.start(({ client }) => [...own, ...clientUrls(`https://${client}`)]);
    const { status, body } = await get(`${server.url}/health`, ca);
    assert.deepEqual([status, body], [400, "Client sent an HTTP request to an HTTPS server.\n"]);
    const line = await rejection(server);
    assert.equal(line["error"], "tls: first record does not look like a TLS handshake");
    await server.stop();
  });

  await report.check("TLS to a plain port is logged", async () => {
    const server = await world.start(() => []);
    await assert.rejects(get(`https://127.0.0.1:${server.clientPort}/health`, ca));
    assert.equal((await rejection(server))["error"], "tls: this port is without TLS");
    await server.stop();
  });

  await report.check("clients need a certificate that is not revoked", async () => {
    const revoked = await world.authority.issue({ commonName: "revoked", usage: "client" });
    world.putPair("revoked", revoked);
    const list = world.put("revoked.crl", await world.authority.revoke([revoked.serialNumber]));
    const server = await world.start(({ client }) => [
      ...mutual,
      `--client-crl-file=${list}`,
      ...clientUrls(`https://${client}`),
    ]);
    const secure = `https://127.0.0.1:${server.clientPort}`;
    assert.equal((await world.ctl(secure, ...world.as("client"), "put", "a", "1")).stdout, "OK\n");
    // A client that writes before it reads what the server said may only find the connection closed.
    await eventually("a client that was told why", async () => {
      const bare = await world.ctl(secure, ...world.trusting, "put", "a", "2");
      assert.notEqual(bare.status, 0);
      return /certificate required/.test(bare.stderr);
    });
    assert.notEqual((await world.ctl(secure, ...world.as("revoked"), "put", "a", "3")).status, 0);
    const errors = linesOf(server, "rejected connection on client endpoint").map(({ error }) => error);
    assert.ok(errors.includes("tls: client didn't provide a certificate"), String(errors));
    assert.ok(
      errors.includes(`transport: certificate serial ${revoked.serialNumber} revoked`),
      String(errors),
    );
    assert.equal((await world.ctl(secure, ...world.as("client"), "get", "a")).stdout, "a\n1\n");
    await server.stop();
  });

  await report.check("certificates and authorities are exchanged while it serves", () => exchanged(world));
  await report.check("a certificate of its own making is made once", () => autoTls(world));
  await report.check("YAML says the same", () => fromYaml(world));
  await report.check("unix and unixs", () => unixSockets(world));

  await report.check("what cannot work is refused at the start", async () => {
    const refused: [string[], RegExp][] = [
      [
        [],
        /TLS key\/cert \(--cert-file, --key-file\) must be provided for client url https:.* with HTTPS scheme/,
      ],
      [[`--cert-file=${world.path("server.crt")}`], /KeyFile and CertFile must both be present/],
      [[own[0]!, `--key-file=${world.path("client.key")}`], /private key does not match public key/],
      [[...own, `--trusted-ca-file=${world.path("none")}`], /open .*none: no such file or directory/],
    ];
    for (const [flags, reason] of refused) {
      const server = await world.launch(({ client }) => [...flags, ...clientUrls(`https://${client}`)]);
      await Promise.race([server.exited, eventually("an end", async () => reason.test(server.log()))]);
      assert.match(server.log(), reason);
      await server.kill();
    }
  });
}

/** The log is written a moment later. */
async function rejection(server: ServerProcess): Promise<Record<string, unknown>> {
  const find = () => linesOf(server, "rejected connection on client endpoint")[0];
  await eventually("a line in the log", async () => find() !== undefined);
  return find()!;
}

async function exchanged(world: World): Promise<void> {
  const names = {
    crt: world.path("moving.crt"),
    key: world.path("moving.key"),
    ca: world.path("moving-ca.crt"),
  };
  world.putPair("moving", await world.authority.issue({ ...host }));
  world.put("moving-ca.crt", world.authority.cert);
  const server = await world.start(({ client }) => [
    `--cert-file=${names.crt}`,
    `--key-file=${names.key}`,
    `--trusted-ca-file=${names.ca}`,
    "--client-cert-auth",
    ...clientUrls(`https://${client}`),
  ]);
  const secure = `https://127.0.0.1:${server.clientPort}`;
  const put = async (...flags: string[]) => (await world.ctl(secure, ...flags, "put", "a", "1")).status;
  assert.equal(await put(...world.as("client")), 0);
  const next = await TestAuthority.make("next");
  world.put("next-ca.crt", next.cert);
  world.putPair("next", await next.issue({ commonName: "dave", usage: "client" }));
  const byNext = ["next", "next-ca"].map((name) => world.path(name));
  const nextFlags = [`--cacert=${byNext[1]}.crt`, `--cert=${byNext[0]}.crt`, `--key=${byNext[0]}.key`];
  assert.notEqual(await put(...nextFlags), 0);
  world.putPair("moving", await next.issue({ ...host }));
  world.put("moving-ca.crt", next.cert);
  assert.equal(await put(...nextFlags), 0);
  assert.notEqual(await put(...world.as("client")), 0);
  world.put("moving.crt", "broken");
  assert.equal(await put(...nextFlags), 0);
  assert.equal(linesOf(server, "cannot use changed TLS files").length, 1);
  await server.stop();
}

async function autoTls(world: World): Promise<void> {
  const flags = ({ client, peer }: { client: string; peer: string }) => [
    "--auto-tls",
    "--peer-auto-tls",
    "--self-signed-cert-validity=3",
    ...clientUrls(`https://${client}`),
    `--listen-peer-urls=https://${peer}`,
    `--initial-advertise-peer-urls=https://${peer}`,
    `--initial-cluster=suite=https://${peer}`,
  ];
  const folder = world.path("auto");
  const server = await world.start(flags, { folder });
  const file = join(server.dataFolder, "fixtures", "client", "cert.pem");
  const before = readFileSync(file, "utf8");
  assert.ok(existsSync(join(server.dataFolder, "fixtures", "peer", "key.pem")));
  const insecure = ["--insecure-transport=false", "--insecure-skip-tls-verify"];
  const secure = `https://127.0.0.1:${server.clientPort}`;
  assert.equal((await world.ctl(secure, ...insecure, "put", "a", "1")).stdout, "OK\n");
  assert.equal((await world.ctl(secure, `--cacert=${file}`, "get", "a")).stdout, "a\n1\n");
  await server.stop();
  const again = await world.start(flags, { folder: world.path("auto"), like: server });
  assert.equal(readFileSync(file, "utf8"), before);
  assert.equal((await world.ctl(secure, `--cacert=${file}`, "get", "a")).stdout, "a\n1\n");
  assert.equal(linesOf(again, "automatically generate certificates").length, 2);
  await again.stop();
}

async function fromYaml(world: World): Promise<void> {
  const url = `https://127.0.0.1:${await freePort()}`;
  const peer = `https://127.0.0.1:${await freePort()}`;
  const section = (name: string) => `${name}:
  cert-file: ${world.path("server.crt")}
  key-file: ${world.path("server.key")}
  client-cert-auth: true
  trusted-ca-file: ${world.path("ca.crt")}
  client-cert-file: ${world.path("client.crt")}
  client-key-file: ${world.path("client.key")}
  auto-tls: false
`;
  const yaml = `name: suite
data-dir: ${world.path("yaml-data")}
listen-client-urls: ${url}
advertise-client-urls: ${url}
listen-peer-urls: ${peer}
initial-advertise-peer-urls: ${peer}
initial-cluster: suite=${peer}
${section("client-transport-security")}  allowed-hostname: [localhost]
${section("peer-transport-security")}  skip-client-san-verification: true
  allowed-cn: [client]
`;
  mkdirSync(world.path("yaml"), { recursive: true });
  writeFileSync(world.path("etcd.yml"), yaml);
  world.putPair("local", await world.authority.issue({ commonName: "local", dns: ["localhost"] }));
  const server: ServerProcess = await world.start(() => [`--config-file=${world.path("etcd.yml")}`]);
  assert.equal((await world.ctl(url, ...world.as("local"), "put", "a", "1")).stdout, "OK\n");
  assert.notEqual((await world.ctl(url, ...world.as("client"), "put", "a", "1")).status, 0);
  const errors = linesOf(server, "rejected connection on client endpoint").map(({ error }) => error);
  assert.ok(errors.includes("client certificate authentication failed"), String(errors));
  await server.stop();
}

async function unixSockets(world: World): Promise<void> {
  const plain = world.path("plain.sock");
  const secure = world.path("secure.sock");
  const own = [`--cert-file=${world.path("server.crt")}`, `--key-file=${world.path("server.key")}`];
  const flags = () => [
    ...own,
    `--listen-client-urls=unix://${plain},unixs://${secure}`,
    `--advertise-client-urls=unix://${plain}`,
  ];
  const folder = world.path("unix");
  const server = await world.start(flags, { folder });
  assert.equal((await world.ctl(`unix://${plain}`, "put", "a", "1")).stdout, "OK\n");
  // etcdctl would look for the name of the file in the certificate.
  const named = await world.ctl(`unixs://${secure}`, "--insecure-skip-tls-verify", "get", "a");
  assert.equal(named.stdout, "a\n1\n", named.stderr);
  // Its socket files stay behind, and are in nobody's way.
  await server.kill();
  assert.ok(existsSync(plain));
  const again = await world.start(flags, { folder, like: server });
  await eventually(
    "an answer",
    async () => (await world.ctl(`unix://${plain}`, "get", "a")).stdout === "a\n1\n",
  );
  await again.stop();
  assert.equal(existsSync(plain), false);
}

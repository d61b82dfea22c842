import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Client } from "../../src/client/client.ts";
import { put, range } from "../../src/client/methods/kv.ts";
import { silentLogger } from "../../src/lib/testing/silent-logger.ts";
import { Etcd } from "../../src/library/etcd.ts";
import { startProxy } from "../../src/proxy/grpc/proxy-server.ts";
import { testCertificates } from "../../src/transport/testing/certificates.ts";
import { proxyFlagsFrom } from "./with-proxy.ts";

const { authority, server1, client } = testCertificates;

describe("the gRPC proxy with TLS", () => {
  let folder = "";
  let etcd: Etcd;
  const file = (name: string): string => join(folder, name);
  const start = (...words: string[]) =>
    startProxy(proxyFlagsFrom([`--endpoints=${etcd.endpoint}`, ...words]), silentLogger);

  // A test and not a hook, because not every runtime lets a hook take long.
  it("has servers behind it", async () => {
    folder = mkdtempSync(join(tmpdir(), "etclite-proxy-"));
    const contents = { "ca.crt": authority, "server.crt": server1.cert, "server.key": server1.key };
    for (const [name, pem] of Object.entries(contents)) writeFileSync(file(name), pem);
    writeFileSync(file("root.crt"), client.cert);
    writeFileSync(file("root.key"), client.key);
    etcd = await Etcd.start({
      memory: true,
      listenClientUrls: "https://127.0.0.1:0",
      certFile: file("server.crt"),
      keyFile: file("server.key"),
    });
  });

  after(async () => {
    await etcd?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("serves with its certificate and checks the servers'", async () => {
    const proxy = await start(
      `--cacert=${file("ca.crt")}`,
      `--cert-file=${file("server.crt")}`,
      `--key-file=${file("server.key")}`,
    );
    const caller = new Client({ endpoints: [`https://127.0.0.1:${proxy.port}`], tls: { ca: authority } });
    try {
      await caller.unary(put, { key: Buffer.from("k"), value: Buffer.from("v") });
      assert.equal((await caller.unary(range, { key: Buffer.from("k") })).count, 1n);
    } finally {
      caller.close();
      await proxy.stop(0);
    }
  });

  it("makes a certificate of its own, and does not go to servers that it cannot trust", async () => {
    const proxy = await start("--auto-tls", `--data-dir=${file("data")}`);
    const tls = { rejectUnauthorized: false };
    const caller = new Client({ endpoints: [`https://127.0.0.1:${proxy.port}`], tls });
    try {
      const late = caller.unary(range, { key: Buffer.from("k") }, { timeoutMs: 300 });
      await assert.rejects(late, /context deadline exceeded/);
    } finally {
      caller.close();
      await proxy.stop(0);
    }
    const trusting = await start("--insecure-skip-tls-verify", "--auto-tls", `--data-dir=${file("data")}`);
    const other = new Client({ endpoints: [`https://127.0.0.1:${trusting.port}`], tls });
    try {
      await other.unary(range, { key: Buffer.from("k") });
    } finally {
      other.close();
      await trusting.stop(0);
    }
  });

  it("refuses a certificate for the servers that names a user", async () => {
    const refused = start(`--cert=${file("root.crt")}`, `--key=${file("root.key")}`);
    await assert.rejects(refused, /cert has non empty Common Name \(root\)/);
  });
});

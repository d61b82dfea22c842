/**
 * The same server with TLS, for etcdctl with a client certificate. Its port also stays open without TLS, for what looks
 * at the server's health; who comes in by TLS has to show a certificate of the right authority.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestAuthority } from "../../../src/transport/testing/make-certificates.ts";
import { exec } from "../../support/exec.ts";
import type { Report } from "../../support/report.ts";
import { cleanEnvironment, type ServerProcess } from "../../support/server-process.ts";
import { tool } from "../../support/tools.ts";

export interface Tls {
  /** Flags of the server, beside the usual ones. */
  readonly server: readonly string[];
  /** Flags of etcdctl. */
  readonly client: readonly string[];
  /** Flags of an etcdctl whose certificate another authority made. */
  readonly stranger: readonly string[];
}

export async function makeTls(folder: string, clientPort: number): Promise<Tls> {
  mkdirSync(folder, { recursive: true });
  const [authority, other] = [await TestAuthority.make(), await TestAuthority.make("another authority")];
  const put = (name: string, contents: string): string => {
    writeFileSync(join(folder, name), contents);
    return join(folder, name);
  };
  const host = { dns: ["localhost"], ips: ["127.0.0.1"] };
  const server = await authority.issue({ commonName: "server", ...host });
  const client = await authority.issue({ commonName: "client", usage: "client" });
  const stranger = await other.issue({ commonName: "client", usage: "client" });
  const ca = put("ca.crt", authority.cert);
  const flagsOf = (name: string, { cert, key }: typeof client): string[] => [
    `--cacert=${ca}`,
    `--cert=${put(`${name}.crt`, cert)}`,
    `--key=${put(`${name}.key`, key)}`,
  ];
  return {
    server: [
      `--listen-client-urls=http://127.0.0.1:${clientPort},https://127.0.0.1:${clientPort}`,
      `--cert-file=${put("server.crt", server.cert)}`,
      `--key-file=${put("server.key", server.key)}`,
      `--trusted-ca-file=${ca}`,
      "--client-cert-auth",
    ],
    client: flagsOf("client", client),
    stranger: flagsOf("stranger", stranger),
  };
}

export async function tlsChecks({ clientPort }: ServerProcess, tls: Tls, report: Report): Promise<void> {
  const get = async (flags: readonly string[]) => {
    const common = [
      `--endpoints=https://127.0.0.1:${clientPort}`,
      "--command-timeout=3s",
      "--dial-timeout=3s",
    ];
    return exec(await tool("etcdctl"), [...common, ...flags, "get", "a"], { env: cleanEnvironment() });
  };
  await report.check("a certificate is asked for, and has to be of the authority", async () => {
    assert.equal((await get(tls.client)).status, 0);
    assert.notEqual((await get(tls.client.slice(0, 1))).status, 0, "without a certificate");
    assert.notEqual((await get(tls.stranger)).status, 0, "with one of another authority");
  });
}

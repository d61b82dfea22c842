/** Servers and etcdctl over TLS, with certificates of the run's own. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Issued, TestAuthority } from "../../src/transport/testing/make-certificates.ts";
import { type ExecResult, exec } from "../support/exec.ts";
import { eventually } from "../support/report.ts";
import { cleanEnvironment, ServerProcess } from "../support/server-process.ts";
import { tool } from "../support/tools.ts";

export const host = { dns: ["localhost"], ips: ["127.0.0.1"] };

export class World {
  readonly folder: string;
  readonly program: string;
  readonly authority: TestAuthority;
  readonly #etcdctl: string;
  #servers = 0;

  private constructor(folder: string, program: string, authority: TestAuthority, etcdctl: string) {
    this.folder = folder;
    this.program = program;
    this.authority = authority;
    this.#etcdctl = etcdctl;
  }

  static async make(folder: string, program: string): Promise<World> {
    const world = new World(folder, program, await TestAuthority.make(), await tool("etcdctl"));
    world.put("ca.crt", world.authority.cert);
    world.putPair("server", await world.authority.issue({ organization: "server", ...host }));
    world.putPair("client", await world.authority.issue({ commonName: "client", usage: "client" }));
    return world;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  put(name: string, contents: string | Uint8Array): string {
    writeFileSync(this.path(`${name}.new`), contents);
    renameSync(this.path(`${name}.new`), this.path(name));
    return this.path(name);
  }

  putPair(name: string, { cert, key }: Issued): void {
    this.put(`${name}.key`, key);
    this.put(`${name}.crt`, cert);
  }

  /** Starts a server and waits until it says that it is ready. Later flags win over the usual ones. */
  async start(
    flags: (ports: { client: string; peer: string }) => readonly string[],
    options: { readonly program?: string; readonly like?: ServerProcess; readonly folder?: string } = {},
  ): Promise<ServerProcess> {
    const server = await this.launch(flags, options);
    await this.untilReady(server);
    return server;
  }

  async launch(
    flags: (ports: { client: string; peer: string }) => readonly string[],
    options: { readonly program?: string; readonly like?: ServerProcess; readonly folder?: string } = {},
  ): Promise<ServerProcess> {
    const { freePort } = await import("../support/ports.ts");
    const clientPort = options.like?.clientPort ?? (await freePort());
    const peerPort = options.like?.peerPort ?? (await freePort());
    const folder = options.folder ?? join(this.folder, `server-${++this.#servers}`);
    mkdirSync(folder, { recursive: true });
    return ServerProcess.start({
      program: options.program ?? this.program,
      folder,
      clientPort,
      peerPort,
      flags: flags({ client: `127.0.0.1:${clientPort}`, peer: `127.0.0.1:${peerPort}` }),
    });
  }

  async untilReady(server: ServerProcess): Promise<void> {
    await eventually(
      "the server is ready",
      async () => {
        if (server.exit !== undefined) throw new Error(`the server ended\n${server.logTail()}`);
        return server.log().includes("ready to serve client requests");
      },
      { timeoutMs: 30_000 },
    );
  }

  ctl(endpoint: string, ...args: string[]): Promise<ExecResult> {
    const common = [`--endpoints=${endpoint}`, "--command-timeout=5s", "--dial-timeout=2s"];
    return exec(this.#etcdctl, [...common, ...args], { env: cleanEnvironment(), cwd: this.folder });
  }

  /** Flags of etcdctl. */
  get trusting(): string[] {
    return [`--cacert=${this.path("ca.crt")}`];
  }

  as(name: string): string[] {
    return [...this.trusting, `--cert=${this.path(`${name}.crt`)}`, `--key=${this.path(`${name}.key`)}`];
  }
}

/** Lines of a server's log with this message. */
export function linesOf(server: ServerProcess, message: string): Record<string, unknown>[] {
  return server
    .log()
    .split("\n")
    .filter((line) => line.includes(message))
    .map((line) => JSON.parse(line));
}

/** Members of a cluster as processes of the program's source, for tests that need more than one and their files. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tie } from "../support/exec.ts";
import { freePort } from "../support/ports.ts";
import { cleanEnvironment } from "../support/server-process.ts";

const main = fileURLToPath(new URL("../../src/cmd/main.ts", import.meta.url));
const deno = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];

/** How long a test waits for a condition, also on a machine that does other things. */
const patienceMs = 90_000;

export interface MemberOptions {
  readonly name: string;
  /** Holds its data and its log. */
  readonly folder: string;
  /** Another program than ours, with etcd's flags. */
  readonly program?: string | undefined;
  readonly clientPort: number;
  readonly peerPort: number;
}

/** One member. Its ports and its folder stay when its process ends. */
export class MemberProcess {
  readonly name: string;
  readonly url: string;
  readonly peerUrl: string;
  readonly dataDir: string;
  readonly #program: string | undefined;
  readonly #logFile: string;
  #child: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);

  constructor({ name, folder, program, clientPort, peerPort }: MemberOptions) {
    this.name = name;
    this.#program = program;
    this.url = `http://127.0.0.1:${clientPort}`;
    this.peerUrl = `http://127.0.0.1:${peerPort}`;
    this.dataDir = join(folder, name);
    this.#logFile = join(folder, `${name}.log`);
    mkdirSync(folder, { recursive: true });
  }

  start(flags: readonly string[]): void {
    const log = openSync(this.#logFile, "a");
    const own = [
      `--name=${this.name}`,
      `--data-dir=${this.dataDir}`,
      `--listen-client-urls=${this.url}`,
      `--advertise-client-urls=${this.url}`,
      `--listen-peer-urls=${this.peerUrl}`,
      `--initial-advertise-peer-urls=${this.peerUrl}`,
    ];
    const command = this.#program === undefined ? [process.execPath, ...deno, main] : [this.#program];
    const child = spawn(command[0] as string, [...command.slice(1), ...own, ...flags], {
      stdio: ["ignore", log, log],
      env: cleanEnvironment(),
    });
    closeSync(log);
    tie(child);
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once("exit", (status) => resolve(status)));
  }

  /** The status it ended with, once it has. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#child?.kill(signal);
    return await this.#ended;
  }

  log(): string {
    return readFileSync(this.#logFile, "utf8");
  }

  /**
   * A call of the JSON gateway, and again while there is no leader, or another one: what a careful client does. Rejects
   * with the error's text.
   */
  async call<T = Record<string, unknown>>(path: string, body: unknown = {}): Promise<T> {
    const endMs = performance.now() + patienceMs;
    for (;;) {
      try {
        return await this.#callOnce<T>(path, body);
      } catch (error) {
        const isPassing = /request timed out|leader changed|no leader/.test((error as Error).message);
        if (!isPassing || performance.now() > endMs) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #callOnce<T>(path: string, body: unknown): Promise<T> {
    const response = await fetch(`${this.url}/v3/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(patienceMs),
    });
    const answer = (await response.json()) as T & { message?: string };
    if (!response.ok) throw new Error(answer.message ?? `status ${response.status}`);
    return answer;
  }

  put(key: string, value: string): Promise<unknown> {
    return this.call("kv/put", { key: btoa(key), value: btoa(value) });
  }

  /** Resolves when it serves. */
  ready(): Promise<void> {
    return until(`${this.name} is healthy`, async () => {
      const response = await fetch(`${this.url}/health`, { signal: AbortSignal.timeout(10_000) });
      return (await response.text()).includes("true");
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log().split("\n").slice(-15).join("\n")}`);
    });
  }
}

export interface ClusterOptions {
  readonly folder: string;
  readonly size: number;
  readonly flags?: readonly string[];
}

/** Starts a cluster and waits until all its members serve. */
export async function startCluster({ folder, size, flags = [] }: ClusterOptions): Promise<MemberProcess[]> {
  const members: MemberProcess[] = [];
  for (let i = 0; i < size; i++) {
    const name = `m${i}`;
    members.push(
      new MemberProcess({ name, folder, clientPort: await freePort(), peerPort: await freePort() }),
    );
  }
  const all = flagsOf(members, flags);
  for (const member of members) member.start(all);
  await Promise.all(members.map((member) => member.ready()));
  return members;
}

export function flagsOf(members: readonly MemberProcess[], more: readonly string[] = []): string[] {
  return [`--initial-cluster=${members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(",")}`, ...more];
}

/** Which of them leads. */
export async function leaderOf(members: readonly MemberProcess[]): Promise<MemberProcess> {
  let found: MemberProcess | undefined;
  await until("somebody leads", async () => {
    for (const member of members) {
      const { header, leader } = await member.call<{ header: { member_id: string }; leader: string }>(
        "maintenance/status",
      );
      if (header.member_id === leader) found = member;
    }
    return found !== undefined;
  });
  return found!;
}

/** Waits for a condition; one that throws does not hold yet. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  timeoutMs = patienceMs,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    if (performance.now() > endMs) throw new Error(`not so in time: ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

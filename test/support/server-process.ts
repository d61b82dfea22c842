/**
 * A server program in a process of its own: ours, or another that takes etcd's flags. Its data, and what it prints,
 * live in a folder of the caller's.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tie } from "./exec.ts";
import { httpGet } from "./http.ts";
import { freePort } from "./ports.ts";

export interface ServerOptions {
  readonly program: string;
  /** Words before the flags: for a runtime, what it is to run. */
  readonly words?: readonly string[];
  /** Holds `data` and `log`. Made if missing. */
  readonly folder: string;
  /** Chosen if not given. Give them when a server starts again, so that its clients find it. */
  readonly clientPort?: number;
  readonly peerPort?: number;
  readonly flags?: readonly string[];
  /** Stands in for all flags of this module's own; names the same ports and `data` in the folder as its data. */
  readonly configFile?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface ServerExit {
  readonly status: number | null;
  readonly signal: string | null;
}

export class ServerProcess {
  readonly clientPort: number;
  readonly peerPort: number;
  readonly url: string;
  readonly dataFolder: string;
  readonly logFile: string;
  /** `performance.now()` at the start. */
  readonly startedAt: number;
  readonly exited: Promise<ServerExit>;
  exit: ServerExit | undefined;
  readonly #child: ChildProcess;

  private constructor(options: Required<Pick<ServerOptions, "clientPort" | "peerPort">> & ServerOptions) {
    this.clientPort = options.clientPort;
    this.peerPort = options.peerPort;
    this.url = `http://127.0.0.1:${this.clientPort}`;
    this.dataFolder = join(options.folder, "data");
    this.logFile = join(options.folder, "log");
    mkdirSync(options.folder, { recursive: true });
    const log = openSync(this.logFile, "a");
    this.startedAt = performance.now();
    this.#child = spawn(options.program, this.#arguments(options), {
      stdio: ["ignore", log, log],
      env: options.env ?? cleanEnvironment(),
    });
    closeSync(log);
    tie(this.#child);
    this.exited = new Promise((resolve) => {
      const end = (exit: ServerExit) => {
        this.exit ??= exit;
        resolve(this.exit);
      };
      this.#child.once("exit", (status, signal) => end({ status, signal }));
      this.#child.once("error", (error) => end({ status: null, signal: String(error) }));
    });
  }

  static async start(options: ServerOptions): Promise<ServerProcess> {
    const clientPort = options.clientPort ?? (await freePort());
    const peerPort = options.peerPort ?? (await freePort());
    return new ServerProcess({ ...options, clientPort, peerPort });
  }

  /** Starts one and waits until it is healthy. */
  static async ready(options: ServerOptions): Promise<ServerProcess> {
    const server = await ServerProcess.start(options);
    await server.ready();
    return server;
  }

  #arguments({ configFile, words = [], flags = [] }: ServerOptions): string[] {
    if (configFile !== undefined) return [...words, `--config-file=${configFile}`, ...flags];
    return [...words, ...this.#ownFlags(), ...flags];
  }

  #ownFlags(): string[] {
    const peer = `http://127.0.0.1:${this.peerPort}`;
    return [
      "--name=suite",
      `--data-dir=${this.dataFolder}`,
      `--listen-client-urls=${this.url}`,
      `--advertise-client-urls=${this.url}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=suite=${peer}`,
    ];
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Waits until /health says so. Milliseconds since the start. Rejects if the program ends, or with its log. */
  async ready(timeoutMs = 60_000, everyMs = 1): Promise<number> {
    while (this.exit === undefined) {
      const answer = await httpGet(this.clientPort, "/health", 1_000).catch(() => undefined);
      if (answer?.status === 200 && /"health":\s*"?true/.test(answer.body)) {
        return performance.now() - this.startedAt;
      }
      if (performance.now() - this.startedAt > timeoutMs) {
        throw new Error(`the server was not healthy within ${timeoutMs} ms\n${this.logTail()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    throw new Error(`the server ended (${describeExit(this.exit)}) before it was healthy\n${this.logTail()}`);
  }

  /** Waits until the log has what matches. Rejects if the program ends before, or with its log. */
  async logged(pattern: RegExp, timeoutMs = 60_000): Promise<void> {
    const sinceMs = performance.now();
    while (!pattern.test(this.log())) {
      const waitedMs = performance.now() - sinceMs;
      if (this.exit !== undefined || waitedMs > timeoutMs)
        throw new Error(`the log has nothing like ${pattern} after ${waitedMs} ms\n${this.logTail()}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** SIGKILL, and waits for the end. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }

  /** SIGTERM, then SIGKILL after `timeoutMs`. Resolves to the milliseconds it took; rejects if it had to be killed. */
  async stop(timeoutMs = 20_000): Promise<number> {
    const started = performance.now();
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), timeoutMs);
    const exit = await this.exited;
    clearTimeout(timer);
    if (exit.signal === "SIGKILL")
      throw new Error(`the server did not end within ${timeoutMs} ms of SIGTERM`);
    return performance.now() - started;
  }

  /** Bytes of memory held (Linux). */
  residentBytes(): number {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"));
    if (!match) throw new Error("no VmRSS");
    return Number(match[1]) * 1024;
  }

  /** Seconds of processor time used so far, in all threads (Linux, 100 ticks a second). */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, "utf8") : "";
  }

  logTail(lines = 15): string {
    return this.log().trimEnd().split("\n").slice(-lines).join("\n");
  }
}

/** This process's environment without what a server or etcdctl would take for settings. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(ETCD|ETCDCTL)_/.test(name)));
}

export function describeExit(exit: ServerExit): string {
  return exit.signal === null ? `status ${exit.status}` : `signal ${exit.signal}`;
}

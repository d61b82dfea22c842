/** etcdctl, pointed at the server under test. */

import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { type ExecResult, exec, lineSplitter, tie } from "../../support/exec.ts";
import { eventually, type Report } from "../../support/report.ts";
import { cleanEnvironment, type ServerProcess } from "../../support/server-process.ts";

/** What a group of checks is given. */
export interface CtlContext {
  readonly ctl: Ctl;
  readonly server: ServerProcess;
  readonly report: Report;
  /** Leaves out what takes a minute. */
  readonly quick: boolean;
}

export interface JsonHeader {
  readonly header: {
    readonly cluster_id: number;
    readonly member_id: number;
    readonly revision?: number;
    readonly raft_term: number;
  };
}

export interface JsonKv {
  readonly key: string;
  readonly value?: string;
  readonly create_revision: number;
  readonly mod_revision: number;
  readonly version: number;
  readonly lease?: number;
}

export class Ctl {
  readonly #program: string;
  readonly #endpoint: string;

  readonly #flags: readonly string[];

  /** `flags` go with every call: those for TLS. */
  constructor(program: string, endpoint: string, flags: readonly string[] = []) {
    this.#program = program;
    this.#endpoint = endpoint;
    this.#flags = [`--endpoints=${endpoint}`, ...flags];
  }

  get endpoint(): string {
    return this.#endpoint;
  }

  /** Runs it, whatever it says. */
  run(args: readonly string[], options: { input?: string; timeoutMs?: number } = {}): Promise<ExecResult> {
    return exec(this.#program, [...this.#flags, ...args], {
      env: cleanEnvironment(),
      timeoutMs: options.timeoutMs ?? 20_000,
      ...(options.input === undefined ? {} : { input: options.input }),
    });
  }

  /** Runs it, and it must end well. Standard output. */
  async ok(args: readonly string[], options: { input?: string; timeoutMs?: number } = {}): Promise<string> {
    const result = await this.run(args, options);
    assert.equal(result.status, 0, `etcdctl ${args.join(" ")}: status ${result.status}\n${result.stderr}`);
    return result.stdout;
  }

  /** Its standard output as lines, the last line break left out. */
  async lines(
    args: readonly string[],
    options: { input?: string; timeoutMs?: number } = {},
  ): Promise<string[]> {
    const output = await this.ok(args, options);
    return output === "" ? [] : output.replace(/\n$/, "").split("\n");
  }

  async json<T = JsonHeader>(args: readonly string[], options: { input?: string } = {}): Promise<T> {
    return JSON.parse(await this.ok(["-w", "json", ...args], options)) as T;
  }

  /** It must fail, with that as its `Error:` line and, if given, that exit status. */
  async fails(
    args: readonly string[],
    error: string | RegExp,
    status?: number,
    input?: string,
  ): Promise<void> {
    const result = await this.run(args, input === undefined ? {} : { input });
    const line = result.stderr.split("\n").findLast((text) => text.startsWith("Error: "));
    assert.notEqual(result.status, 0, `etcdctl ${args.join(" ")} should have failed`);
    if (typeof error === "string") assert.equal(line, `Error: ${error}`, result.stderr);
    else assert.match(line ?? "", error, result.stderr);
    if (status !== undefined) assert.equal(result.status, status);
  }

  /** Puts, and gives the revision. */
  async put(key: string, value: string, ...options: string[]): Promise<number> {
    const answer = await this.json(["put", ...options, "--", key, value]);
    return answer.header.revision as number;
  }

  async kvs(args: readonly string[]): Promise<JsonKv[]> {
    return (await this.json<{ kvs?: JsonKv[] }>(["get", ...args])).kvs ?? [];
  }

  /** Starts one that goes on, such as a watch. */
  start(args: readonly string[]): RunningCtl {
    return new RunningCtl(this.#program, [...this.#flags, ...args]);
  }
}

/** An etcdctl that runs while the check does something else. */
export class RunningCtl {
  readonly lines: string[] = [];
  stderr = "";
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(program: string, args: readonly string[]) {
    this.#child = spawn(program, args, { env: cleanEnvironment() });
    tie(this.#child);
    const splitter = lineSplitter((line) => this.lines.push(line));
    this.#child.stdout.on("data", (chunk: Buffer) => splitter.push(chunk));
    this.#child.stderr.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.ended = new Promise((resolve) => this.#child.once("close", resolve));
  }

  type(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Waits for that many lines in all. */
  async has(count: number): Promise<string[]> {
    await eventually(`etcdctl printed ${count} lines`, () => this.lines.length >= count).catch((error) => {
      throw new Error(`${error.message}; it printed ${JSON.stringify(this.lines)} and ${this.stderr}`);
    });
    return this.lines;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#child.kill(signal);
    await this.ended;
  }
}

export const base64 = (text: string): string => Buffer.from(text).toString("base64");
export const text = (encoded: string | undefined): string => Buffer.from(encoded ?? "", "base64").toString();

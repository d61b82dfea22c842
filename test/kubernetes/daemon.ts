/** A program that runs beside the checks until it is told to end: what it prints goes into a file. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { tie } from "../support/exec.ts";
import { cleanEnvironment } from "../support/server-process.ts";

export class Daemon {
  readonly logFile: string;
  /** How it ended, if it did. */
  exit: string | undefined;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  constructor(program: string, args: readonly string[], logFile: string) {
    this.logFile = logFile;
    const log = openSync(logFile, "a");
    this.#child = spawn(program, args, { stdio: ["ignore", log, log], env: cleanEnvironment() });
    closeSync(log);
    tie(this.#child);
    this.#exited = new Promise((resolve) => {
      const end = (why: string): void => {
        this.exit ??= why;
        resolve();
      };
      this.#child.once("exit", (status, signal) => end(signal ?? `status ${status}`));
      this.#child.once("error", (error) => end(String(error)));
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  log(): string {
    return readFileSync(this.logFile, "utf8");
  }

  logTail(lines = 20): string {
    return this.log().trimEnd().split("\n").slice(-lines).join("\n");
  }

  /** SIGTERM, and SIGKILL if that takes too long: what is under test is the store, not how these programs end. */
  async stop(timeoutMs = 10_000): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), timeoutMs);
    await this.#exited;
    clearTimeout(timer);
  }
}

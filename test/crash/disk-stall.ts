/**
 * A disk that stalls or is slow, for one process and some of its files: strace holds its writes back. Linux only, and not
 * for Go's programs: its runtime interrupts threads with signals, for which strace 6 gives up while it holds a call back.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tie } from "../support/exec.ts";

/** Why disks cannot be made to stall here; undefined if they can. */
export function whyNoStalls(): string | undefined {
  if (process.platform !== "linux") return "strace holds the writes back, and that is for Linux";
  return spawnSync("strace", ["-V"]).status === 0 ? undefined : "strace is not installed";
}

/** Which files of a data folder. */
export type Part = "log" | "store";

export function filesOf(dataFolder: string, parts: readonly Part[]): string[] {
  const entries = readdirSync(dataFolder, { recursive: true, encoding: "utf8", withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const partOf = (file: string): Part | undefined => {
    if (file.includes("/store/")) return "store";
    return file.endsWith(".wal") ? "log" : undefined;
  };
  return files.filter((file) => parts.includes(partOf(file) as Part));
}

export interface Stalled {
  readonly pid: number;
  readonly files: readonly string[];
  /** How long each write is held back; by default until `end`. */
  readonly delayMs?: number;
  /** Gets a line for each write. */
  readonly traceFile: string;
}

const calls = "write,pwrite64,pwritev,pwritev2,fsync,fdatasync,ftruncate";
const attachTimeoutMs = 15_000;

export class DiskStall {
  /** `performance.now()` from when on all writes are held back. */
  readonly beganAt = performance.now();
  readonly #child: ChildProcess;
  readonly #traceFile: string;
  readonly #exited: Promise<unknown>;

  private constructor(child: ChildProcess, traceFile: string) {
    this.#child = child;
    this.#traceFile = traceFile;
    this.#exited = new Promise((resolve) => child.once("exit", resolve));
  }

  /** Resolves when writes are held back. Rejects with strace's words if it may not. */
  static async begin({ pid, files, delayMs = 3_600_000, traceFile }: Stalled): Promise<DiskStall> {
    if (files.length === 0) throw new Error("no files to hold back");
    rmSync(traceFile, { force: true });
    const paths = files.flatMap((file) => ["-P", file]);
    const inject = [`trace=${calls}`, `inject=${calls}:delay_enter=${delayMs * 1000}`].flatMap((e) => [
      "-e",
      e,
    ]);
    const child = spawn("strace", ["-f", "-p", `${pid}`, ...paths, ...inject, "-o", traceFile], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    tie(child);
    let said = "";
    await new Promise<void>((resolve, reject) => {
      const giveUp = (why: string) => reject(new Error(`strace ${why}: ${said}`));
      const timer = setTimeout(() => giveUp("attached to nothing in time"), attachTimeoutMs);
      child.once("exit", () => giveUp("ended"));
      child.once("error", (error) => giveUp(error.message));
      child.stderr?.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (!/Process \d+ attached/.test(said)) return;
        clearTimeout(timer);
        resolve();
      });
    });
    return new DiskStall(child, traceFile);
  }

  /** Lets all writes go on. Rejects if there was none to hold back, for then nothing was tried. */
  async end(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#exited;
    const trace = existsSync(this.#traceFile) ? readFileSync(this.#traceFile, "utf8") : "";
    if (!/^\d+ +(p?write|fsync|fdatasync)/m.test(trace)) throw new Error("nothing was written to the files");
  }

  /** The process was killed: strace waits for it to come back from what it holds back, and it for strace. */
  async abandon(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

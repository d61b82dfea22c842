/** Commands out of documents, and a shell that runs them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../support/paths.ts";

/** The lines of a document's code blocks between `<!-- NAME: begin -->` and `<!-- NAME: end -->`. */
export function commandsOf(path: string, name: string): string {
  const text = readFileSync(join(repository, path), "utf8");
  const marked = text.split(`<!-- ${name}: begin -->`)[1]?.split(`<!-- ${name}: end -->`)[0];
  assert.ok(marked, `${path} has no part ${name}`);
  const blocks = [...marked.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines]) => lines);
  assert.ok(blocks.length > 0);
  return blocks.join("\n");
}

interface ScriptEnd {
  readonly status: number | null;
  readonly output: string;
  readonly tookMs: number;
}

/** A shell that stops at the first error, in a process group with the servers that it starts. */
export class ScriptRun {
  readonly ended: Promise<ScriptEnd>;
  readonly #child: ReturnType<typeof spawn>;
  readonly #onExit = () => this.#kill("SIGKILL");

  /** `env` is all of its environment. */
  constructor(script: string, cwd: string, env: NodeJS.ProcessEnv) {
    const log = join(cwd, "output");
    const output = openSync(log, "a");
    const startedMs = performance.now();
    const child = spawn("sh", ["-e", "-c", `${script}\n`], {
      cwd,
      detached: true,
      env,
      stdio: ["ignore", output, output],
    });
    closeSync(output);
    this.#child = child;
    process.once("exit", this.#onExit);
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      // Not "close": the servers go on, and hold the output open. What the shell wrote is in the file.
      child.once("exit", (status) => {
        resolve({ status, output: readFileSync(log, "utf8"), tookMs: performance.now() - startedMs });
      });
    });
    this.ended.catch(() => undefined);
  }

  async end(): Promise<void> {
    process.removeListener("exit", this.#onExit);
    this.#kill("SIGTERM");
    const endMs = performance.now() + 10_000;
    while (this.#kill(0)) {
      if (performance.now() > endMs) this.#kill("SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Whether there was anything to send the signal to. */
  #kill(signal: NodeJS.Signals | 0): boolean {
    try {
      process.kill(-this.#child.pid!, signal);
      return true;
    } catch {
      return false;
    }
  }
}

/** Runs other programs and waits for their end. */
import { type ChildProcess, spawn } from "node:child_process";

export interface ExecOptions {
  readonly cwd?: string;
  /** Replaces the whole environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Uint8Array;
  /** The program is killed after this long. Default 60 s. */
  readonly timeoutMs?: number;
  /** Also shows what the program prints, on standard error. */
  readonly echo?: boolean;
  /** Called for every full line of standard output. */
  readonly onLine?: (line: string) => void;
}

export interface ExecResult {
  /** The exit status; -1 when a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
  readonly timedOut: boolean;
}

const running = new Set<ChildProcess>();
process.once("exit", killChildren);

/** A check that fails leaves its servers, and they would keep this process from ending. */
export function killChildren(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** Ties a child to this process: it is killed when this process exits. */
export function tie(child: ChildProcess): void {
  running.add(child);
  child.once("exit", () => running.delete(child));
}

/** Ctrl-C and a CI's time limit end the suite in the ordinary way, so that the children end with it. */
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => process.exit(130));
}

/** Runs `program`, collects its output. Rejects only if it cannot be started. */
export function exec(
  program: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    tie(child);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const lines = options.onLine ? lineSplitter(options.onLine) : undefined;
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, options.timeoutMs ?? 60_000);
    child.stdout?.on("data", (chunk: Buffer) => {
      stdout.push(chunk);
      lines?.push(chunk);
      if (options.echo) process.stderr.write(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr.push(chunk);
      if (options.echo) process.stderr.write(chunk);
    });
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      lines?.end();
      const bytes = Buffer.concat(stdout);
      resolve({
        status: code ?? -1,
        stdout: bytes.toString(),
        stderr: Buffer.concat(stderr).toString(),
        bytes,
        timedOut,
      });
    });
    if (options.input !== undefined) child.stdin?.end(options.input);
  });
}

/** As `exec`, but anything other than status 0 is an error that shows what the program said. */
export async function mustExec(
  program: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  const result = await exec(program, args, options);
  if (result.status === 0) return result;
  const why = result.timedOut ? "ran out of time" : `ended with status ${result.status}`;
  throw new Error(`${program} ${args.join(" ")} ${why}\n${result.stderr}${result.stdout}`);
}

/** Cuts chunks into lines. */
export function lineSplitter(onLine: (line: string) => void): { push(chunk: Buffer): void; end(): void } {
  const decoder = new TextDecoder();
  let rest = "";
  return {
    push(chunk) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) onLine(part);
    },
    end() {
      if (rest !== "") onLine(rest);
      rest = "";
    },
  };
}

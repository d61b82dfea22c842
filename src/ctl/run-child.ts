/** Runs a program that writes where we write, and reads nothing. */
import { spawn } from "node:child_process";

export interface ChildEnd {
  readonly status: number;
  /** How Go says it; undefined for a good end. */
  readonly problem: string | undefined;
}

export function runChild(
  [program = "", ...args]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", (error) => {
      const isMissing = (error as { code?: string }).code === "ENOENT";
      const what = program.includes("/")
        ? `fork/exec ${program}: no such file or directory`
        : `exec: "${program}": executable file not found in $PATH`;
      resolve({ status: 1, problem: isMissing ? what : error.message });
    });
    child.once("exit", (code, signal) => {
      if (signal !== null) resolve({ status: 255, problem: `signal: ${signalName(signal)}` });
      else resolve({ status: code ?? 0, problem: code === 0 ? undefined : `exit status ${code}` });
    });
  });
}

const names: Readonly<Record<string, string>> = {
  SIGINT: "interrupt",
  SIGKILL: "killed",
  SIGTERM: "terminated",
  SIGHUP: "hangup",
};
const signalName = (signal: string): string => names[signal] ?? signal.toLowerCase();

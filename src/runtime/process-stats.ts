/** What the system knows of this process. Values that a system does not tell are NaN. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessStats {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly virtualBytes: number;
  readonly openFiles: number;
  readonly maxFiles: number;
}

/** Seconds since 1970 at which this process began. */
export const startedAtSeconds = Date.now() / 1000 - process.uptime();

export function processStats(): ProcessStats {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    virtualBytes: fromProc("status", /^VmSize:\s+(\d+) kB/m) * 1024,
    openFiles: countOpenFiles(),
    maxFiles: fromProc("limits", /^Max open files\s+(\d+)/m),
  };
}

function fromProc(file: string, pattern: RegExp): number {
  try {
    return Number(pattern.exec(readFileSync(`/proc/self/${file}`, "utf8"))?.[1]);
  } catch {
    return Number.NaN;
  }
}

function countOpenFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return Number.NaN;
  }
}

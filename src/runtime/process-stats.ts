/** What the system knows of this process. Values that a system does not tell are NaN. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessStats {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly virtualBytes: number;
  /** 2^64 without a limit. */
  readonly virtualMaxBytes: number;
  /** Over all interfaces that this process sees, loopback too: what Linux counts. */
  readonly networkReceivedBytes: number;
  readonly networkSentBytes: number;
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
    virtualMaxBytes: addressSpaceLimit(),
    ...networkBytes(),
    openFiles: countOpenFiles(),
    maxFiles: fromProc("limits", /^Max open files\s+(\d+)/m),
  };
}

function fromProc(file: string, pattern: RegExp): number {
  return Number(pattern.exec(readProc(file))?.[1]);
}

/** Empty on systems that have none. */
function readProc(file: string): string {
  try {
    return readFileSync(`/proc/self/${file}`, "utf8");
  } catch {
    return "";
  }
}

function addressSpaceLimit(): number {
  const limit = readProc("limits").match(/^Max address space\s+(\S+)/m)?.[1];
  // What Go's client shows for no limit: the largest number of 64 bits.
  return limit === "unlimited" ? 2 ** 64 : Number(limit);
}

function networkBytes(): { networkReceivedBytes: number; networkSentBytes: number } {
  let networkReceivedBytes = 0;
  let networkSentBytes = 0;
  const rows = [...readProc("net/dev").matchAll(/^\s*\S+:\s*(.*)$/gm)];
  for (const [, numbers = ""] of rows) {
    const columns = numbers.trim().split(/\s+/);
    networkReceivedBytes += Number(columns[0]);
    networkSentBytes += Number(columns[8]);
  }
  if (rows.length === 0) return { networkReceivedBytes: Number.NaN, networkSentBytes: Number.NaN };
  return { networkReceivedBytes, networkSentBytes };
}

function countOpenFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return Number.NaN;
  }
}

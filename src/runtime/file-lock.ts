/** Finds out whether another process holds a lock (flock(2)) on a file: so etcd guards its database while it runs. */
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { openLibc } from "./libc.ts";

const lockExclusive = 2;
const lockNonBlocking = 4;

/** False also where it cannot be found out (Windows refuses to read such a file anyway). */
export async function isFileLocked(path: string): Promise<boolean> {
  if (process.platform === "linux") return hasLinuxLock(path);
  const libc = await openLibc({ flock: { parameters: ["i32", "i32"], result: "i32" } });
  if (!libc) return false;
  const file = openSync(path, "r");
  try {
    return libc.flock(file, lockExclusive | lockNonBlocking) !== 0;
  } finally {
    closeSync(file);
  }
}

/** The kernel lists all locks, each with the device and the number of its file. */
function hasLinuxLock(path: string): boolean {
  const { ino } = statSync(path, { bigint: true });
  return readFileSync("/proc/locks", "utf8")
    .split("\n")
    .some((line) => / FLOCK /.test(line) && line.split(/\s+/).some((word) => word.endsWith(`:${ino}`)));
}

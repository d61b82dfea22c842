/**
 * An exclusive lock on a folder, so that a second server on the same data is refused at once.
 *
 * The operating system has to hold it, because a file with a process id in it outlives a kill -9. `node:fs` cannot
 * lock files, but SQLite can, on every system (fcntl locks on Unix, LockFileEx on Windows), and each runtime has one:
 * the lock is an exclusive transaction on an empty database that is never written to.
 *
 * fcntl locks belong to the process: nothing else in it may open and close the lock file, or the lock is gone.
 */
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { SqliteCode, type SqliteDatabase, sqliteCodeOf, sqliteDriver } from "./sqlite.ts";

/** The name of the lock file in its folder. It stays there: removing it would let two processes lock two files. */
export const lockFileName = "lock";

/** A database that nobody refers to is closed by the garbage collector, and the lock with it. */
const held = new Set<SqliteDatabase>();

export interface DirLock {
  /** Gives the lock back. The end of the process does the same, however it ends. */
  release(): void;
}

/** Another process, or another server in this one, has the folder. */
export class DirInUseError extends Error {
  readonly dir: string;
  constructor(dir: string) {
    super(`the folder ${dir} is in use by another server`);
    this.name = "DirInUseError";
    this.dir = dir;
  }
}

/** Locks a folder, which exists. Rejects with a DirInUseError at once if it is locked, and with the system's error if
 * the lock file cannot be made. */
export async function lockDir(dir: string): Promise<DirLock> {
  const driver = await sqliteDriver();
  const path = join(dir, lockFileName);
  // So that a folder that cannot be written gives the system's own error and not SQLite's. Only if it is not there:
  // closing it again would give away the lock of a server in this process.
  if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
  const database = driver.open(path, { readOnly: false });
  try {
    // No journal file beside it, and no waiting.
    database.exec("PRAGMA journal_mode = MEMORY; PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (isBusy(error)) throw new DirInUseError(dir);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot lock ${path}: ${reason}`, { cause: error });
  }
  held.add(database);
  return {
    release: () => {
      if (held.delete(database)) database.close();
    },
  };
}

/** Deno's errors have no result code. */
function isBusy(error: unknown): boolean {
  if (sqliteCodeOf(error) === SqliteCode.busy) return true;
  return error instanceof Error && error.message.includes("database is locked");
}

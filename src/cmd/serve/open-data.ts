/** The data folder: made, locked, and its store opened. */
import { access, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Backend } from "../../backend/backend.ts";
import { openBackend } from "../../backend/open.ts";
import type { Config } from "../../config/config.ts";
import type { Logger } from "../../lib/logger.ts";
import { type DirLock, lockDir } from "../../runtime/dir-lock.ts";

export interface DataFolder {
  readonly backend: Backend;
  /** Where the log is; undefined when the server keeps nothing (`--storage-backend memory`). */
  readonly logDir: string | undefined;
  release(): void;
}

/** Folders that only their owner may read, as etcd makes them. */
const folderMode = 0o700;

/** SQLite's page cache of the writing connection: small, since it writes sorted batches. */
const writerCacheBytes = 4 * 1024 * 1024;

export async function openData(config: Config, logger: Logger): Promise<DataFolder> {
  if (config.storageBackend === "memory") {
    logger.warn("nothing is kept: with --storage-backend memory all data is gone when the server stops");
    return { backend: await openBackend({ kind: "memory" }), logDir: undefined, release() {} };
  }
  const dir = resolve(config.dataDir);
  await refuseForeignData(dir);
  const member = join(dir, "member");
  await mkdir(member, { recursive: true, mode: folderMode });
  const lock: DirLock = await lockDir(member);
  try {
    const backend = await openBackend({
      kind: "sqlite",
      dir: join(member, "store"),
      cacheBytes: config.storageCacheBytes,
      writerCacheBytes,
      sync: !config.unsafeNoFsync,
    });
    const logDir = config.walDir === "" ? join(member, "log") : resolve(config.walDir);
    return { backend, logDir, release: () => lock.release() };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A folder that etcd itself wrote is not ours to write into. */
async function refuseForeignData(dir: string): Promise<void> {
  const database = join(dir, "member", "snap", "db");
  try {
    await access(database);
  } catch {
    return;
  }
  throw new Error(
    `${dir} holds the data of an etcd (${database}): choose another --data-dir; importing it comes with a later version`,
  );
}

/** The data folder: made, locked, and its store opened. */
import { existsSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openBackend } from "../../backend/open.ts";
import type { Config } from "../../config/config.ts";
import type { Logger } from "../../lib/logger.ts";
import { type DirLock, lockDir } from "../../runtime/dir-lock.ts";
import { MemorySlots, type StoreSlots } from "../../server/snapshot/store-slots.ts";
import { makeAccessible } from "./data-access.ts";
import { openStoreSlots } from "./store-slots.ts";

export interface DataFolder {
  readonly stores: StoreSlots;
  /** Where the log is; undefined when the server keeps nothing (`--storage-backend memory`). */
  readonly logDir: string | undefined;
  /** Where snapshots of other members are kept while they come in. */
  readonly snapshotDir: string;
  /** Where certificates are that the server makes for itself. */
  readonly fixturesDir: string;
  release(): void;
}

/** SQLite's page cache of the writing connection: small, since it writes sorted batches. */
const writerCacheBytes = 4 * 1024 * 1024;

export async function openData(config: Config, logger: Logger): Promise<DataFolder> {
  if (config.storageBackend === "memory") {
    logger.warn("nothing is kept: with --storage-backend memory all data is gone when the server stops");
    const { MemoryBackend } = await import("../../backend/memory/memory-backend.ts");
    const snapshotDir = await mkdtemp(join(tmpdir(), "etclite-"));
    return {
      stores: new MemorySlots(() => new MemoryBackend()),
      logDir: undefined,
      snapshotDir,
      fixturesDir: join(snapshotDir, "fixtures"),
      release: () => rmSync(snapshotDir, { recursive: true, force: true }),
    };
  }
  const dir = resolve(config.dataDir);
  await makeAccessible("data", dir, logger);
  await adoptEtcdData(config, dir, logger);
  const member = join(dir, "member");
  await makeAccessible("member", member, logger);
  const lock: DirLock = await lockDir(member);
  try {
    const stores = await openStoreSlots(member, (storeDir, isFilling) =>
      openBackend({
        kind: "sqlite",
        dir: storeDir,
        cacheBytes: config.storageCacheBytes,
        writerCacheBytes,
        sync: !config.unsafeNoFsync,
        isFilling,
      }),
    );
    const logDir = config.walDir === "" ? join(member, "log") : resolve(config.walDir);
    return {
      stores,
      logDir,
      snapshotDir: join(member, "snapshots"),
      fixturesDir: join(dir, "fixtures"),
      release: () => lock.release(),
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A folder that etcd itself wrote becomes ours first. The code for it is rarely needed, so it is loaded when it is. */
async function adoptEtcdData(config: Config, dir: string, logger: Logger): Promise<void> {
  const candidates = [join(dir, "member", "snap", "db"), join(dir, "member.importing")];
  if (!candidates.some((path) => existsSync(path))) return;
  const { adoptEtcdFolder } = await import("../../utl/data-folder/adopt-etcd.ts");
  const walDir = config.walDir === "" ? undefined : resolve(config.walDir);
  await adoptEtcdFolder(dir, walDir, logger.at("utl/data-folder/adopt-etcd.ts"));
}

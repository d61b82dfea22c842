/**
 * Takes over a data folder of etcd in its place, when a server is started on it: what etcd wrote stays beside, under
 * another name, so that one can go back to it.
 *
 *     member            etcd's               ->  member.etcd
 *     member.importing  made from it, whole  ->  member
 *
 * With a `--wal-dir` the same happens there, before it happens to `member`. A crash in between is finished at the next
 * start: what bears the name of the original beside it was whole by then. A lock on the data folder keeps a second server
 * from doing the same at the same time: `member`, which has a lock of its own, is not there all the while.
 */
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Logger } from "../../lib/logger.ts";
import { lockDir } from "../../runtime/dir-lock.ts";
import { nodeDisk } from "../../runtime/disk.ts";
import { exists } from "../../runtime/exists.ts";
import { importEtcd, isEtcdMember, isUnused } from "./import-etcd.ts";

const unfinished = (path: string): string => `${path}.importing`;
const original = (path: string): string => `${path}.etcd`;

/** Does nothing if the folder is not etcd's. `walDir` is what `--wal-dir` names, if anything. Rejects with a DirInUseError
 * while another server takes the folder over. */
export async function adoptEtcdFolder(
  dataDir: string,
  walDir: string | undefined,
  logger: Logger,
): Promise<void> {
  const lock = await lockDir(dataDir);
  try {
    await adopt(dataDir, walDir, logger);
  } finally {
    lock.release();
  }
}

async function adopt(dataDir: string, walDir: string | undefined, logger: Logger): Promise<void> {
  const member = join(dataDir, "member");
  const separate = walDir === undefined ? [] : [walDir];
  // In the order in which they are exchanged; the last one says that all are.
  const exchanged = [...separate, member];
  if (!(await isBegun(exchanged))) {
    if (!(await isEtcdMember(member))) return;
    const unused = await isUnused({ member, wal: walDir ?? join(member, "wal") });
    if (await exists(join(member, "store"))) {
      // An etcd was started on a folder of ours. To take over what it made would hide what was there before.
      if (unused) return;
      throw new Error(
        `${member} holds data of etclite (store, log) and of an etcd that ran on it (snap, wal): ` +
          "move away what is not to be used",
      );
    }
    await refuseOriginals(exchanged);
    if (unused) {
      await nodeDisk.rename(member, original(member));
      logger.info("set aside what an etcd left that never started", { path: original(member) });
      return;
    }
    await build(member, walDir, logger);
  }
  for (const path of exchanged) await exchange(path);
  logger.info("kept the original", { path: original(member) });
}

/** Whether everything was built before and the exchange has begun. */
async function isBegun(exchanged: readonly string[]): Promise<boolean> {
  const last = exchanged.at(-1)!;
  return (await exists(unfinished(last))) && (await exists(original(exchanged[0]!)));
}

async function refuseOriginals(paths: readonly string[]): Promise<void> {
  for (const path of paths.map(original)) {
    if (await exists(path)) throw new Error(`${path} is there from an earlier import: move it away first`);
  }
}

async function build(member: string, walDir: string | undefined, logger: Logger): Promise<void> {
  const into = unfinished(member);
  const log = walDir === undefined ? join(into, "log") : unfinished(walDir);
  const remove = async () => {
    for (const path of [into, log]) await rm(path, { recursive: true, force: true });
  };
  await remove();
  try {
    await nodeDisk.makeDir(into);
    const wal = walDir ?? join(member, "wal");
    await importEtcd({ member, wal }, { store: join(into, "store"), log }, logger);
    await nodeDisk.syncDir(into);
  } catch (error) {
    await remove().catch(() => {});
    throw error;
  }
}

async function exchange(path: string): Promise<void> {
  const next = unfinished(path);
  if (!(await exists(next))) return;
  if (!(await exists(original(path)))) await nodeDisk.rename(path, original(path));
  await nodeDisk.rename(next, path);
  await nodeDisk.syncDir(dirname(path));
}

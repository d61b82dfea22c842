/** Opens what a stopped server left in its data folder. */
import { join } from "node:path";
import type { Backend } from "../../backend/backend.ts";
import { openBackend } from "../../backend/open.ts";
import { DirInUseError, type DirLock, lockDir } from "../../runtime/dir-lock.ts";
import { exists } from "../../runtime/exists.ts";

export interface StoppedFolder {
  readonly backend: Backend;
  close(): Promise<void>;
}

const lookEveryMs = 50;

/** Rejects with an Error that says what is wrong with the folder, or that a server still uses it after `timeoutMs` (0:
 * waits for as long as it does). */
export async function openStopped(dataDir: string, timeoutMs: number): Promise<StoppedFolder> {
  const member = join(dataDir, "member");
  const dir = await storeOf(dataDir);
  const lock = await lockWhenFree(member, timeoutMs);
  try {
    const backend = await openBackend({ kind: "sqlite", dir });
    return {
      backend,
      close: async () => {
        await backend.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The folder of the store. Rejects with an Error if there is none, or two. */
export async function storeOf(dataDir: string): Promise<string> {
  const member = join(dataDir, "member");
  const dir = join(member, "store");
  if (await exists(join(member, "store.2"))) {
    throw new Error(
      `a leader's snapshot is being installed in ${member}: start the server once, so that it is finished`,
    );
  }
  if (await exists(join(dir, "store.db"))) return dir;
  if (await exists(join(member, "snap", "db"))) {
    throw new Error(`${dataDir} holds the data of an etcd: use etcdutl, or \`etclite utl import\` it first`);
  }
  throw new Error(`stat ${join(dir, "store.db")}: no such file or directory`);
}

/** Locks a `member` folder. Rejects with a DirInUseError when a server has it for longer than `timeoutMs`. */
export async function lockWhenFree(member: string, timeoutMs: number): Promise<DirLock> {
  const started = performance.now();
  for (;;) {
    try {
      return await lockDir(member);
    } catch (error) {
      const isOver = timeoutMs > 0 && performance.now() - started >= timeoutMs;
      if (!(error instanceof DirInUseError) || isOver) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

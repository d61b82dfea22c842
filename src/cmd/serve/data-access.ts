/** Whether the data folder can be made and written, asked before anything else is done with it; in etcd's words. */
import { access, constants, mkdir, stat } from "node:fs/promises";
import type { Logger } from "../../lib/logger.ts";
import { systemWords } from "../../lib/system-words.ts";

/** Folders that only their owner may read, as etcd makes them. */
export const folderMode = 0o700;

/** Makes the folder if it is not there. Rejects with an error that says what cannot be done with which folder. */
export async function makeAccessible(what: "data" | "member", dir: string, logger: Logger): Promise<void> {
  const refused = (doing: string, path: string, cause: unknown) =>
    new Error(`cannot access ${what} directory: ${doing} ${path}: ${systemWords(cause)}`, { cause });
  const found = await stat(dir).catch(() => undefined);
  if (found && !found.isDirectory()) throw refused("open", dir, { code: "ENOTDIR" });
  await mkdir(dir, { recursive: true, mode: folderMode }).catch((cause) => {
    throw refused("mkdir", dir, cause);
  });
  await access(dir, constants.W_OK | constants.X_OK).catch((cause) => {
    throw refused("open", dir, cause);
  });
  if (found) warnOfOthers(dir, found.mode, logger);
}

/** Windows has no such permissions. */
function warnOfOthers(dir: string, mode: number, logger: Logger): void {
  const permissions = mode & 0o777;
  if (process.platform === "win32" || permissions === folderMode) return;
  logger.at("cmd/serve/data-access.ts").warn("check file permission", {
    error:
      `directory "${dir}" exist, but the permission is "${symbolic(permissions)}". ` +
      'The recommended permission is "-rwx------" to prevent possible unprivileged access to the data',
  });
}

const symbolic = (mode: number): string =>
  `d${[6, 3, 0].map((shift) => [4, 2, 1].map((bit, at) => ((mode >> shift) & bit ? "rwx"[at] : "-")).join("")).join("")}`;

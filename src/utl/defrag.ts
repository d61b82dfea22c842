/** `etcdutl defrag`: gives the free pages of a stopped member's store back to the file system. */
import { join } from "node:path";
import type { CommandCall } from "../lib/command-line/command.ts";
import { humanBytes } from "../lib/human-bytes.ts";
import { nodeDisk } from "../runtime/disk.ts";
import { openStopped } from "./data-folder/open-stopped.ts";
import { ExitCode, failWith } from "./exit-codes.ts";
import { loggerTo } from "./log-lines.ts";

export async function defrag({ flags, output }: CommandCall): Promise<number> {
  const dataDir = flags.string("data-dir");
  const logger = loggerTo(output, "utl/defrag.ts");
  const started = performance.now();
  try {
    const { backend, close } = await openStopped(dataDir, flags.durationMs("timeout"));
    const path = join(dataDir, "member", "store", "store.db");
    try {
      // Brings the -wal file home first, so that the size is the whole store's.
      await backend.sync();
      const before = await sizeOf(path);
      logger.info("defragmenting", {
        path,
        "current-db-size-bytes": before,
        "current-db-size": humanBytes(before),
      });
      await backend.defragment();
      await backend.sync();
      await close();
      const after = await sizeOf(path);
      logger.info("finished defragmenting directory", {
        path,
        "current-db-size-bytes-diff": after - before,
        "current-db-size-bytes": after,
        "current-db-size": humanBytes(after),
        took: `${(performance.now() - started).toFixed(3)}ms`,
      });
    } catch (error) {
      await close();
      throw error;
    }
    return ExitCode.success;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return failWith(output, ExitCode.error, `Failed to defragment etcd data[${dataDir}] (${why})`);
  }
}

async function sizeOf(path: string): Promise<number> {
  const file = await nodeDisk.open(path, "read");
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}

/** Makes the store of a data folder from etcd's database file. */
import { join } from "node:path";
import { openBackend } from "../../backend/open.ts";
import type { DatabaseFile } from "../../bbolt/database-file.ts";
import { nodeDisk } from "../../runtime/disk.ts";
import { type Imported, type ImportOptions, importDatabase } from "../../server/snapshot/import-database.ts";

/** `dir` is made. Durable when it resolves. */
export async function makeStore(dir: string, file: DatabaseFile, options: ImportOptions): Promise<Imported> {
  const backend = await openBackend({
    kind: "sqlite",
    dir,
    // Nobody looks at it before it is whole: one sync at the end is enough.
    sync: false,
    isFilling: true,
  });
  let imported: Imported;
  try {
    imported = await importDatabase(file, backend, options);
  } finally {
    await backend.close();
  }
  await syncFiles(dir);
  return imported;
}

async function syncFiles(dir: string): Promise<void> {
  for (const name of await nodeDisk.list(dir)) {
    const file = await nodeDisk.open(join(dir, name), "write");
    await file.sync();
    await file.close();
  }
  await nodeDisk.syncDir(dir);
}

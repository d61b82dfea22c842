/** Cuts a torn tail off. */
import type { Disk, DiskFile } from "../lib/disk.ts";
import { brokenName } from "./segment-name.ts";
import type { TornTail } from "./tail.ts";
import { explained } from "./wal.ts";

/** Enough to see what was going on; the end of a large write adds nothing. */
const keptBytesMax = 1024 * 1024;

export interface Repair {
  readonly disk: Disk;
  readonly dir: string;
  readonly segment: string;
  readonly file: DiskFile;
  readonly torn: TornTail;
  readonly onWarning: (message: string, fields: Record<string, unknown>) => void;
}

/**
 * Shortens the segment to its last whole frame. What is cut off was never acknowledged; it is kept in a file of its
 * own (`.broken`, as etcd calls the copy that it makes), if there is room for that. Durable when it resolves.
 */
export async function repairTail({ disk, dir, segment, file, torn, onWarning }: Repair): Promise<void> {
  const path = `${dir}/${segment}`;
  const copy = brokenName(segment, torn.position);
  const fields = { path, offset: torn.position, bytes: torn.end - torn.position, reason: torn.what };
  try {
    await keepTail(disk, `${dir}/${copy}`, file, torn);
    onWarning("repaired a torn write at the end of the log", { ...fields, "kept-as": copy });
  } catch (error) {
    onWarning("repaired a torn write at the end of the log; its copy failed", {
      ...fields,
      error: String(error),
    });
  }
  await explained("truncate", path, file.truncate(torn.position));
  await explained("sync", path, file.sync());
}

async function keepTail(disk: Disk, path: string, file: DiskFile, torn: TornTail): Promise<void> {
  const tail = new Uint8Array(Math.min(torn.end - torn.position, keptBytesMax));
  const count = await file.read(tail, torn.position);
  const copy = await disk.open(path, "create");
  try {
    await copy.write(tail.subarray(0, count), 0);
  } finally {
    await copy.close();
  }
}

/** Snapshots as files in memory. */
import { DatabaseFile } from "../../../bbolt/database-file.ts";
import { planDatabase } from "../../../bbolt/plan-database.ts";
import { writeDatabase } from "../../../bbolt/write-database.ts";
import { finish } from "../../../lib/steps.ts";
import { FaultDisk } from "../../../lib/testing/fault-disk.ts";
import type { DatabaseSnapshot } from "../database-snapshot.ts";
import { bucketsAt, copyPlainBuckets, type SnapshotBackend } from "../store-buckets.ts";

const path = "/snapshot.db";

/** What a backend holds now. */
export function snapshotOf(backend: SnapshotBackend): Uint8Array {
  const buckets = bucketsAt(backend, backend.position.revision, finish(copyPlainBuckets(backend)));
  const plan = finish(planDatabase(buckets));
  return joined([...writeDatabase(buckets, plan)], plan.bytes);
}

/** All that is left of a snapshot under way. */
export function restOf(snapshot: DatabaseSnapshot): Uint8Array {
  return joined([...snapshot.chunks], snapshot.totalBytes);
}

function joined(chunks: readonly (Uint8Array | undefined)[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    if (chunk === undefined) continue;
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

export async function openBytes(bytes: Uint8Array): Promise<DatabaseFile> {
  const disk = new FaultDisk();
  const file = await disk.open(path, "create");
  await file.write(bytes, 0);
  await file.close();
  return await DatabaseFile.open(disk, path);
}

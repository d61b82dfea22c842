/** A cluster of one kind on empty folders, for as long as a part of the benchmark needs it. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ProcessCluster, type Settings } from "../../test/support/cluster/process-cluster.ts";
import type { Context, Subject } from "../context.ts";

/** Runs `body` with a healthy cluster, and ends it and removes its data afterwards. */
export async function withCluster<T>(
  context: Context,
  subject: Subject,
  size: number,
  body: (cluster: ProcessCluster, folder: string) => Promise<T>,
  settings: Settings = {},
): Promise<T> {
  const folder = join(context.folder, subject.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const cluster = await ProcessCluster.start({ program: subject.program, folder, size, settings });
  try {
    return await body(cluster, folder);
  } finally {
    await cluster.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

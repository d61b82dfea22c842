/** A member that was down while many puts went by catches up through a snapshot: what the leader's clients notice. */

import { hashKv, status } from "../../test/support/cluster/calls.ts";
import type { ClusterMember, ProcessCluster } from "../../test/support/cluster/process-cluster.ts";
import { mustExec } from "../../test/support/exec.ts";
import { eventually } from "../../test/support/report.ts";
import { goProgram } from "../../test/support/tools.ts";
import { type Context, type Subject, sleep } from "../context.ts";
import { PacedPuts, quantile } from "./paced-puts.ts";
import { withCluster } from "./with-cluster.ts";

const everyMs = 2;
const usualMs = 6_000;
const catchUpMs = 180_000;

export async function catchup(context: Context): Promise<void> {
  const load = await goProgram("bench/load");
  const keys = Math.round(500_000 * context.scale);
  for (const subject of context.subjects) {
    await withCluster(context, subject, 3, async (cluster) => {
      const leader = await cluster.aLeader();
      const behind = cluster.members.find((member) => member !== leader)!;
      await behind.kill();
      const endpoint = `127.0.0.1:${leader.address.clientPort}`;
      await mustExec(load, ["fill", "-endpoint", endpoint, "-keys", String(keys)], { timeoutMs: 600_000 });
      await sleep(5_000); // what was put off during the load
      await measure(context, subject, cluster, leader, behind);
    });
  }
}

async function measure(
  context: Context,
  subject: Subject,
  cluster: ProcessCluster,
  leader: ClusterMember,
  behind: ClusterMember,
): Promise<void> {
  const add = (title: string, unit: string, value: number, more = {}) =>
    context.results.add({ title, unit, ...more }, subject.name, value);
  const puts = new PacedPuts(() => [leader.url], everyMs);
  await puts.next();
  puts.take();
  await sleep(usualMs);
  const usual = timesOf(puts);
  const { revision } = await status(leader.url);
  const startedMs = performance.now();
  await cluster.startMember(behind);
  // Asked through its own connection each time, and not too often: the machine is shared.
  const isThere = async () => (await status(behind.url, 1_000).catch(() => undefined))?.revision;
  await eventually("the member has caught up", async () => ((await isThere()) ?? 0) >= revision, {
    timeoutMs: catchUpMs,
    everyMs: 50,
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const during = timesOf(puts);
  await puts.stop();
  add("catching up on 500,000 puts", "s", seconds, { digits: 1 });
  add("put at the leader, usual, 99th percentile", "ms", quantile(usual, 0.99), { digits: 1 });
  add("put at the leader while another catches up, median", "ms", quantile(during, 0.5), { digits: 1 });
  add("put at the leader while another catches up, 99th percentile", "ms", quantile(during, 0.99), {
    digits: 1,
  });
  const times = quantile(during, 0.99) / quantile(usual, 0.99);
  const goal = { goal: { max: 3 } };
  add("99th percentile while another catches up, by the usual", "times", times, { digits: 1, ...goal });
  await sameEverywhere(cluster);
}

function timesOf(puts: PacedPuts): number[] {
  const done = puts.take();
  const failed = done.find(({ error }) => error !== undefined);
  if (failed) throw new Error(`a put failed: ${failed.error}`);
  return done.map(({ startedMs, endedMs }) => endedMs - startedMs);
}

/** Waits until all members are at the leader's revision, and compares HashKV. */
export async function sameEverywhere(cluster: ProcessCluster): Promise<void> {
  const revisions = await Promise.all(cluster.urls.map(async (url) => (await status(url)).revision));
  const revision = Math.max(...revisions);
  for (const url of cluster.urls) {
    await eventually(`${url} is at ${revision}`, async () => (await status(url)).revision >= revision, {
      timeoutMs: 30_000,
    });
  }
  const hashes = await Promise.all(cluster.urls.map((url) => hashKv(url, revision)));
  if (new Set(hashes).size > 1) throw new Error(`HashKV differs: ${hashes.join(", ")}`);
}

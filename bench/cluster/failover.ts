/** How long nobody can write after the leader is killed, or told to end, at default timeouts and under load. */
import type { ProcessCluster } from "../../test/support/cluster/process-cluster.ts";
import { type Context, type Subject, sleep } from "../context.ts";
import { type PacedPut, PacedPuts, quantile } from "./paced-puts.ts";
import { withCluster } from "./with-cluster.ts";

const everyMs = 4;

export async function failover(context: Context): Promise<void> {
  const times = Math.max(3, Math.round(20 * context.scale));
  for (const subject of context.subjects) {
    await withCluster(context, subject, 3, async (cluster) => {
      const puts = new PacedPuts(() => cluster.urls, everyMs);
      for (const signal of ["SIGKILL", "SIGTERM"] as const) {
        await series(context, subject, cluster, puts, signal, times);
      }
      await puts.stop();
    });
  }
}

async function series(
  context: Context,
  subject: Subject,
  cluster: ProcessCluster,
  puts: PacedPuts,
  signal: "SIGKILL" | "SIGTERM",
  times: number,
): Promise<void> {
  const tookMs: number[] = [];
  let failed = 0;
  for (let i = 0; i < times; i++) {
    const leader = await cluster.aLeader();
    await puts.next();
    await sleep(300 + 37 * i); // not always at the same moment of a heartbeat
    puts.take();
    const startedMs = performance.now();
    leader.server!.signal(signal);
    const first = await firstAfter(puts, leader.url);
    if (signal === "SIGKILL") tookMs.push(first - startedMs);
    await leader.server!.exited;
    await cluster.startMember(leader);
    await cluster.ready();
    await sleep(500);
    const ended = puts.take();
    failed += ended.filter((put) => put.error !== undefined && !put.isRefused).length;
    if (signal === "SIGTERM") tookMs.push(longestGap(ended, startedMs));
  }
  const title =
    signal === "SIGKILL"
      ? "kill -9 of the leader to the next write"
      : "SIGTERM of the leader, longest time without a write";
  const goal = signal === "SIGKILL" ? { goal: { max: 2_000 } } : {};
  const add = (what: string, value: number, more = {}) =>
    context.results.add({ title: `${title}, ${what}`, unit: "ms", ...more }, subject.name, value);
  add("median", quantile(tookMs, 0.5));
  add("longest", Math.max(...tookMs), goal);
  context.results.add(
    { title: `${title}, puts failed each time`, unit: "", digits: 1 },
    subject.name,
    failed / times,
  );
}

/** A member that is told to end hands over, and writes may go on before: what counts is the longest pause. */
function longestGap(puts: readonly PacedPut[], sinceMs: number): number {
  const answeredMs = puts
    .filter(({ error, endedMs }) => error === undefined && endedMs > sinceMs)
    .map((put) => put.endedMs);
  const sorted = [sinceMs, ...answeredMs.sort((a, b) => a - b)];
  return Math.max(...sorted.slice(1).map((at, i) => at - sorted[i]!));
}

/** When the first put was acknowledged that began after now, by a member that stays. */
async function firstAfter(puts: PacedPuts, leaving: string): Promise<number> {
  for (;;) {
    const put = await puts.next();
    if (put.url !== leaving) return put.endedMs;
  }
}

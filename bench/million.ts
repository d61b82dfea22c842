/**
 * A store with a million keys: memory, start, idleness, and how long a put waits while all of them are read. One
 * subject after the other, each once: the load takes about a minute.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { mustExec } from "../test/support/exec.ts";
import { ServerProcess } from "../test/support/server-process.ts";
import { goProgram } from "../test/support/tools.ts";
import { type Context, mebibytes, type Subject, sleep, withServer } from "./context.ts";
import type { Metric } from "./results.ts";
import { processorPercent } from "./startup.ts";

interface FillResult {
  readonly putsPerSecond: number;
  readonly countMs: number;
}

interface Percentiles {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

interface LatencyResult {
  readonly alone: Percentiles;
  readonly during: Percentiles;
  readonly rangeMs: readonly number[];
}

export async function million(context: Context, parts: ReadonlySet<string>): Promise<void> {
  const load = await goProgram("bench/load");
  for (const subject of context.subjects) {
    await withServer(context, subject, async (first, folder) => {
      await fill(context, subject, first, load);
      if (parts.has("latency")) await latency(context, subject, first, load);
      if (!parts.has("start")) return;
      await first.stop(60_000);
      await restarts(context, subject, folder, first);
    });
  }
}

const suffix = (context: Context): string => `${context.keys.toLocaleString("en")} keys`;

async function fill(context: Context, subject: Subject, server: ServerProcess, load: string): Promise<void> {
  const add = (metric: Metric, value: number) => context.results.add(metric, subject.name, value);
  const result = await goLoad<FillResult>(load, "fill", context, server);
  const goal = { ratioMax: 0.33 };
  add(
    { title: `resident after loading ${suffix(context)}`, unit: "MiB", goal },
    mebibytes(server.residentBytes()),
  );
  add({ title: `load of ${suffix(context)}`, unit: "puts/s" }, result.putsPerSecond);
  add({ title: `count of ${suffix(context)}`, unit: "ms", digits: 1 }, result.countMs);
  await sleep(5_000); // what was put off during the load
  add(
    { title: `resident 5 s after loading ${suffix(context)}`, unit: "MiB", goal },
    mebibytes(server.residentBytes()),
  );
  add(
    { title: `data folder with ${suffix(context)}`, unit: "MiB" },
    mebibytes(folderBytes(server.dataFolder)),
  );
  const idle = await processorPercent(server, 3_000);
  add({ title: `idle with ${suffix(context)}, processor`, unit: "% of a core", digits: 2 }, idle);
}

async function latency(
  context: Context,
  subject: Subject,
  server: ServerProcess,
  load: string,
): Promise<void> {
  const add = (metric: Metric, value: number) => context.results.add(metric, subject.name, value);
  const result = await goLoad<LatencyResult>(load, "latency", context, server);
  const puts = (title: string) => ({ title: `put ${title}`, unit: "ms", digits: 1 });
  add(puts("alone, median"), result.alone.p50Ms);
  add(puts("alone, 99th percentile"), result.alone.p99Ms);
  add(puts(`during a range of ${suffix(context)}, median`), result.during.p50Ms);
  add(
    { ...puts(`during a range of ${suffix(context)}, 99th percentile`), goal: { max: 20 } },
    result.during.p99Ms,
  );
  add(puts(`during a range of ${suffix(context)}, slowest`), result.during.maxMs);
  for (const ms of result.rangeMs) add({ title: `a range of ${suffix(context)}`, unit: "ms" }, ms);
  const title = `resident after ranges of ${suffix(context)}`;
  add({ title, unit: "MiB" }, mebibytes(server.residentBytes()));
}

/** Starts again on the same data: after a clean end, and after a kill. */
async function restarts(
  context: Context,
  subject: Subject,
  folder: string,
  { clientPort, peerPort }: ServerProcess,
): Promise<void> {
  const again = { program: subject.program, folder, clientPort, peerPort };
  const add = (metric: Metric, value: number) => context.results.add(metric, subject.name, value);
  for (let round = 0; round < Math.max(3, context.rounds); round++) {
    const clean = await ServerProcess.start(again);
    const title = `start to healthy with ${suffix(context)}`;
    add({ title, unit: "ms", goal: { max: 300 } }, await clean.ready());
    add(
      { title: `resident after a start with ${suffix(context)}`, unit: "MiB" },
      mebibytes(clean.residentBytes()),
    );
    await clean.kill();
    const killed = await ServerProcess.start(again);
    add({ title: `${title}, after SIGKILL`, unit: "ms" }, await killed.ready());
    await killed.stop(60_000);
  }
}

async function goLoad<T>(load: string, command: string, context: Context, server: ServerProcess): Promise<T> {
  const args = [command, "-endpoint", `127.0.0.1:${server.clientPort}`, "-keys", String(context.keys)];
  const { stdout } = await mustExec(load, args, { timeoutMs: 1_800_000 });
  return JSON.parse(stdout) as T;
}

function folderBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? folderBytes(path) : statSync(path).blocks * 512;
    })
    .reduce((sum, bytes) => sum + bytes, 0);
}

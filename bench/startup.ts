/** How long an empty server takes to be healthy, and what it costs while nobody asks it anything. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ServerProcess } from "../test/support/server-process.ts";
import { type Context, inTurn, mebibytes, sleep, withServer } from "./context.ts";

const startEmpty = { title: "start to healthy, empty", unit: "ms", goal: { max: 150 } };
const stopIdle = { title: "SIGTERM to end, idle", unit: "ms", goal: { max: 1000 } };

export async function startup(context: Context): Promise<void> {
  for (let round = 0; round < Math.max(3, context.rounds); round++) {
    for (const subject of inTurn(context, round)) {
      const folder = join(context.folder, subject.name);
      const server = await ServerProcess.start({ program: subject.program, folder });
      context.results.add(startEmpty, subject.name, await server.ready());
      context.results.add(stopIdle, subject.name, await server.stop());
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

const idleProcessor = { title: "idle, processor", unit: "% of a core", digits: 2, goal: { max: 1 } };
const idleMemory = { title: "idle, resident", unit: "MiB", digits: 1, goal: { max: 70 } };

/** What a start leaves to do, such as giving memory back and finding again what of it is needed, is not idleness. */
const settledMs = 20_000;

export async function idle(context: Context, ms: number): Promise<void> {
  for (let round = 0; round < Math.min(2, context.rounds); round++) {
    for (const subject of inTurn(context, round)) {
      await withServer(context, subject, async (server) => {
        await sleep(settledMs);
        context.results.add(idleProcessor, subject.name, await processorPercent(server, ms));
        context.results.add(idleMemory, subject.name, mebibytes(server.residentBytes()));
      });
    }
  }
}

/** The share of one core that a server uses over that time. */
export async function processorPercent(server: ServerProcess, ms: number): Promise<number> {
  const before = server.cpuSeconds();
  const started = performance.now();
  await sleep(ms);
  return (100_000 * (server.cpuSeconds() - before)) / (performance.now() - started);
}

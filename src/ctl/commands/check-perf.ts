/** `check perf`: a minute of puts at a steady rate, judged by how many were done and how long they took. */
import { setTimeout as delay } from "node:timers/promises";
import { put } from "../../client/methods/kv.ts";
import { progressBar } from "../../lib/progress-bar.ts";
import type { CtlCall } from "../call.ts";
import {
  deleteKeys,
  type LoadName,
  loadOf,
  openClients,
  randomKey,
  refuseKeys,
  tellErrors,
  tidy,
} from "../load/checks.ts";
import { LoadRecorder, type LoadReport } from "../load/report.ts";

interface Load {
  readonly perSecond: number;
  readonly clients: number;
}

const loads: Readonly<Record<LoadName, Load>> = {
  s: { perSecond: 150, clients: 50 },
  m: { perSecond: 1_000, clients: 200 },
  l: { perSecond: 8_000, clients: 500 },
  xl: { perSecond: 15_000, clients: 1_000 },
};
const seconds = 60;
const keyBytes = 256;
const value = Buffer.alloc(1024);
const limits = { enough: 0.9, slowestSeconds: 0.5, stddevSeconds: 0.1 } as const;

export async function checkPerf(call: CtlCall): Promise<number> {
  const load = loads[loadOf(call)];
  const prefix = call.flags.string("prefix");
  const clients = await openClients(call, load.clients);
  const [first] = clients;
  await refuseKeys(first, prefix, "'");
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const recorder = new LoadRecorder();
  const putOne = (at: number): Promise<unknown> =>
    recorder.measure(() =>
      clients[at % clients.length]!.unary(put, { key: randomKey(prefix, keyBytes), value }),
    );
  await atSteadyRate(call, load, putOne, stop.signal);
  const report = recorder.report();
  const revision = await deleteKeys(first, prefix).catch((error: Error) => {
    call.io.out(`FAIL: Cleanup failed during key deletion: ERROR(${error.message})\n`);
  });
  if (revision !== undefined) await tidy(call, first, revision);
  return judge(call, load, report);
}

/** As many at once as there are clients; what could not begin in time begins as soon as one is free. */
async function atSteadyRate(
  { io }: CtlCall,
  { perSecond, clients }: Load,
  work: (at: number) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const bar = progressBar(io, "check perf");
  const startedMs = performance.now();
  const running = new Set<Promise<unknown>>();
  let begun = 0;
  for (;;) {
    const elapsedMs = performance.now() - startedMs;
    if (elapsedMs >= seconds * 1000 || signal.aborted) break;
    const due = Math.floor((elapsedMs / 1000) * perSecond);
    while (begun < due && running.size < clients) {
      const one = work(begun++).finally(() => running.delete(one));
      running.add(one);
    }
    bar.at(elapsedMs, seconds * 1000);
    await (running.size >= clients ? Promise.race(running) : delay(Math.max(1, 500 / perSecond)));
  }
  await Promise.all(running);
  bar.end();
}

function judge(call: CtlCall, load: Load, report: LoadReport): number {
  const { io } = call;
  tellErrors(call, report.errors);
  const rate = `${Math.trunc(report.perSecond) + 1} writes/s\n`;
  const isEnough = report.perSecond / load.perSecond > limits.enough;
  io.out(isEnough ? `PASS: Throughput is ${rate}` : `FAIL: Throughput too low: ${rate}`);
  const slowest = `${report.slowestSeconds.toFixed(6)}s\n`;
  const isQuick = report.slowestSeconds <= limits.slowestSeconds;
  io.out(isQuick ? `PASS: Slowest request took ${slowest}` : `Slowest request took too long: ${slowest}`);
  const stddev = `${report.stddevSeconds.toFixed(6)}s\n`;
  const isEven = report.stddevSeconds <= limits.stddevSeconds;
  io.out(isEven ? `PASS: Stddev is ${stddev}` : `Stddev too high: ${stddev}`);
  const isGood = isEnough && isQuick && isEven && report.errors.size === 0;
  io.out(isGood ? "PASS\n" : "FAIL\n");
  return isGood ? 0 : 1;
}

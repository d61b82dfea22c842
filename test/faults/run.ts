/** `npm run faults`: three processes, faults from a seed, and what clients were told. DESIGN.md beside this says more. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seedFrom } from "../support/random.ts";
import { Report } from "../support/report.ts";
import {
  commonHelp,
  commonOptions,
  keepScratchFolders,
  scratchFolder,
  serverProgram,
} from "../support/scratch.ts";
import { FaultRun, type FaultRunReport } from "./fault-run.ts";
import { lostMajority } from "./lost-majority.ts";

const { values: options } = parseArgs({
  options: {
    ...commonOptions,
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    only: { type: "string", default: "lost-majority,faults" },
    verbose: { type: "boolean", short: "v", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(`usage: npm run faults -- [options]
${commonHelp}
  --only LIST     of lost-majority,faults
  --minutes N     how long things go wrong (default 10)
  --seed S        repeats the choices of a run, though not its timing
  --verbose, -v   shows each fault`);
  process.exit(0);
}

const seed = seedFrom(options.seed);
const startedMs = performance.now();
const log = (line: string): void => {
  if (options.verbose) console.log(`${((performance.now() - startedMs) / 1000).toFixed(1)} s  ${line}`);
};
const program = serverProgram(options.server);
const folder = scratchFolder("faults", options);
const parts = options.only.split(",");
const report = new Report();
console.log(`seed ${seed}`);

if (parts.includes("lost-majority")) {
  const name = "one of three members goes on alone after two are lost, and grows again";
  await report.check(name, () => lostMajority(program, join(folder, "lost-majority")), 180_000);
}
if (parts.includes("faults")) {
  const minutes = Number(options.minutes);
  await report.check(
    `${minutes} minutes of faults break no promise`,
    async () => print(await new FaultRun({ program, folder, seed, minutes, log }).run()),
    minutes * 60_000 + 600_000,
  );
}
report.finish();
if (report.failures.length > 0) {
  console.log(`repeat with --seed ${seed}`);
  keepScratchFolders();
}
process.exit();

function print(report: FaultRunReport): void {
  const { answered, unknown, refused, acknowledgedWrites, revision } = report;
  const list = (counts: ReadonlyMap<string, number>) =>
    [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([what, count]) => `${what} ${count}`)
      .join(", ");
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  console.log(
    `operations answered ${answered}, not known ${unknown}, refused ${refused}; acknowledged writes ${acknowledgedWrites}, revision ${revision}`,
  );
  console.log(`not known because: ${list(report.why) || "none"}`);
  console.log(
    `linearizable: ${report.checkedCalls} calls to ${report.checkedKeys} keys; watch streams ${report.watchStreams}; HashKV ${report.hash}`,
  );
  console.log(`faults: ${list(report.faults)}`);
  console.log(
    `longest time without a write: ${seconds(report.longestGapMs)}; while a majority could talk: ${seconds(report.longestGapWithQuorumMs)}`,
  );
}

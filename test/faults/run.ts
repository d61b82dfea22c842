/** `npm run faults`: three processes, faults from a seed, and what clients were told. DESIGN.md beside this says more. */
import { parseArgs } from "node:util";
import { seedFrom } from "../support/random.ts";
import {
  commonHelp,
  commonOptions,
  keepScratchFolders,
  scratchFolder,
  serverProgram,
} from "../support/scratch.ts";
import { FaultRun, type FaultRunReport } from "./fault-run.ts";

const { values: options } = parseArgs({
  options: {
    ...commonOptions,
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    verbose: { type: "boolean", short: "v", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(`usage: npm run faults -- [options]
${commonHelp}
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
console.log(`seed ${seed}`);
const run = new FaultRun({
  program: serverProgram(options.server),
  folder: scratchFolder("faults", options),
  seed,
  minutes: Number(options.minutes),
  log,
});
try {
  print(await run.run());
  console.log("1 passed, 0 failed");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log(`0 passed, 1 failed; repeat with --seed ${seed}`);
  keepScratchFolders();
  process.exitCode = 1;
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

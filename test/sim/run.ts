/**
 * Simulates one seed after the other for a while, or one that failed: npm run sim -- --minutes 5, or --seed 42 --seeds 1.
 * Ends with status 1 at the first seed that fails, and says how to see it again.
 */
import { parseArgs } from "node:util";
import { Simulation, type SimulationReport } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    /** The first one; any if it is not given. */
    seed: { type: "string" },
    seeds: { type: "string" },
    /** Goes on after a seed that fails. */
    "keep-going": { type: "boolean", default: false },
    /** Shows what members log. */
    verbose: { type: "boolean", short: "v", default: false },
  },
});

const firstSeed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed);
const seedsMax = values.seeds === undefined ? Number.POSITIVE_INFINITY : Number(values.seeds);
const minutes =
  values.minutes === undefined ? (values.seeds === undefined ? 1 : 1e6) : Number(values.minutes);
if (![firstSeed, minutes].every(Number.isFinite) || Number.isNaN(seedsMax)) {
  console.error("--minutes, --seed and --seeds are numbers");
  process.exit(2);
}

const endMs = performance.now() + minutes * 60_000;
const totals = { seeds: 0, failed: 0, simulatedMs: 0, events: 0, answered: 0, unknown: 0, entries: 0 };
const more = {
  elections: 0,
  snapshots: 0,
  memberChanges: 0,
  watchEvents: 0,
  leaseExpiries: 0,
  hashesCompared: 0,
};
const faults = new Map<string, number>();

function add(report: SimulationReport): void {
  for (const key of ["simulatedMs", "events", "answered", "unknown", "entries"] as const)
    totals[key] += report[key];
  for (const key of Object.keys(more) as (keyof typeof more)[]) more[key] += report[key];
  for (const [kind, count] of report.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
}

for (let seed = firstSeed; totals.seeds < seedsMax && performance.now() < endMs; seed++) {
  totals.seeds++;
  try {
    const log = values.verbose ? { log: (line: string) => console.log(line) } : {};
    add(await new Simulation({ seed, ...log }).run());
  } catch (error) {
    totals.failed++;
    console.error(error instanceof Error ? error.message : error);
    if (!values["keep-going"]) break;
  }
}

const hours = (totals.simulatedMs / 3_600_000).toFixed(2);
console.log(
  `seeds from ${firstSeed}: ${totals.seeds}, failed ${totals.failed}; simulated hours ${hours}, events ${totals.events}`,
);
console.log(
  `operations checked ${totals.answered}, without an answer ${totals.unknown}, log entries ${totals.entries}`,
);
console.log(
  Object.entries(more)
    .map(([key, count]) => `${key} ${count}`)
    .join(", "),
);
console.log(`faults: ${[...faults].map(([kind, count]) => `${kind} ${count}`).join(", ")}`);
process.exit(totals.failed > 0 ? 1 : 0);

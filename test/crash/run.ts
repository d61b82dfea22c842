/** `npm run crash`: kills, damage, and disks that stall. DESIGN.md beside this says what is checked. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Random, seedFrom } from "../support/random.ts";
import { Report } from "../support/report.ts";
import {
  commonHelp,
  commonOptions,
  keepScratchFolders,
  scratchFolder,
  serverProgram,
} from "../support/scratch.ts";
import { damageTrials } from "./damage-trials.ts";
import { killTrials } from "./kill-trials.ts";
import { stallTrials } from "./stall-trials.ts";
import { sweepStore } from "./sweep.ts";

const { values: options } = parseArgs({
  options: {
    ...commonOptions,
    only: { type: "string", default: "kill,damage,sweep" },
    kills: { type: "string", default: "100" },
    "sweep-step": { type: "string", default: "64" },
    damages: { type: "string", default: "60" },
    workers: { type: "string", default: "48" },
    seed: { type: "string" },
    "lease-restart": { type: "string", default: "bounded" },
    flag: { type: "string", multiple: true, default: [] },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(`usage: npm run crash -- [options]
${commonHelp}
  --only LIST     of kill,damage,sweep,stall (default all but stall, which needs Linux and strace)
  --kills N       how often the server is killed (default 100)
  --damages N     how many copies of the data are damaged, of each kind (default 60)
  --sweep-step N  in a store alone each Nth byte is changed, one by one (default 64)
  --workers N     concurrent writers (default 48)
  --seed S        repeats the choices of a run, though not its timing
  --lease-restart full   leases may start over after a kill, as etcd's do
  --flag F        a flag for the server; may be repeated`);
  process.exit(0);
}

const program = serverProgram(options.server);
const seed = seedFrom(options.seed);
const random = new Random(seed);
const folder = scratchFolder("crash", options);
const parts = options.only.split(",");
const leaseRestart = options["lease-restart"] === "full" ? "full" : "bounded";
const common = {
  program,
  folder,
  workers: Number(options.workers),
  leaseRestart,
  flags: options.flag,
} as const;
console.log(`seed ${seed}`);

const report = new Report();
if (parts.includes("kill")) {
  const kills = Number(options.kills);
  await report.check(
    `${kills} kills under load lose nothing that was acknowledged`,
    async () => {
      const totals = await killTrials({ ...common, random: random.fork(), kills });
      const starts = totals.startMs.toSorted((a, b) => a - b);
      console.log(
        `${totals.kills} kills (${totals.killsWhileStarting} while starting), ${totals.terms} clean ends; ` +
          `${totals.acknowledged} operations acknowledged, ${totals.openDone} open ones done, ` +
          `${totals.leaseEnds} leases with keys ended; revision ${totals.revision}; start to healthy: median ` +
          `${Math.round(starts[starts.length >> 1] ?? 0)} ms, longest ${Math.round(starts.at(-1) ?? 0)} ms`,
      );
    },
    kills * 30_000 + 120_000,
  );
}
if (parts.includes("damage")) {
  try {
    await damageTrials({ ...common, random: random.fork(), trials: Number(options.damages), report });
  } catch (error) {
    // What the undamaged server did was wrong already.
    report.fail("the load before the damage", error instanceof Error ? `${error.stack}` : String(error));
  }
}
if (parts.includes("stall")) await stallTrials({ ...common, random: random.fork(), report });
if (parts.includes("sweep")) {
  const step = Number(options["sweep-step"]);
  await report.check(
    `damage to each ${step}th byte of a store is reported, and never served`,
    () => sweepStore(join(folder, "sweep"), { seed, step }),
    3_600_000,
  );
}
report.finish();
if (report.failures.length > 0) {
  console.log(`repeat with --seed ${seed}`);
  keepScratchFolders();
}
process.exit();

/**
 * The log under crashes, longer than the unit tests have time for: `bun test/crash/wal.ts [seed] [runs] [kills]`.
 * Each run loses the power of a simulated disk at every second of its operations; each kill is a SIGKILL of a real
 * process. Ends with status 1 and the seed at the first thing that is wrong.
 */
import { crashTrial } from "../../src/wal/testing/crash-trial.ts";
import { killTrials } from "./wal-kill.ts";

const [seed = 1, runs = 40, kills = 30] = process.argv.slice(2).map(Number);
let crashes = 0;
for (let run = 0; run < runs; run++) crashes += await crashTrial(seed + run, 60, 2, 2);
console.log(
  `power lost ${crashes} times in ${runs} runs (seeds ${seed} to ${seed + runs - 1}): nothing acknowledged is gone`,
);
const { entries, repaired } = await killTrials(seed, kills);
console.log(`killed ${kills} times: ${entries} entries, all there; ${repaired} torn tails repaired`);

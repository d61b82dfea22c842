/** Changes one byte of a store after the other. DESIGN.md beside this says what must follow. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { objectionTo, someChange, storeToSweep, tryByte } from "../../src/backend/testing/damage-sweep.ts";
import { Prng } from "../../src/lib/prng.ts";
import { printTable } from "../support/table.ts";

export async function sweepStore(
  folder: string,
  { seed, step }: { readonly seed: number; readonly step: number },
): Promise<void> {
  const random = new Prng(seed);
  const source = join(folder, "store");
  mkdirSync(source, { recursive: true });
  const store = await storeToSweep(source, seed);
  const objections: string[] = [];
  const counts = new Map<string, number>();
  for (let offset = random.below(step); offset < store.bytes.length; offset += step) {
    const trial = await tryByte(join(folder, "copy"), store, offset, someChange(random));
    const objection = objectionTo(trial);
    if (objection) objections.push(objection);
    const outcome = typeof trial.read === "object" ? "wrong" : trial.read;
    const use = trial.isStructure ? "structure" : trial.used ? "yes" : "no";
    const kind = [use, trial.reported ? "yes" : "no", outcome].join(" ");
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  printTable(
    ["in use", "reported", "reads", "bytes"],
    [...counts].map(([kind, count]) => [...kind.split(" "), count]),
  );
  if (objections.length > 0) {
    throw new Error(`${objections.length} of the trials; the first:\n${objections.slice(0, 10).join("\n")}`);
  }
}

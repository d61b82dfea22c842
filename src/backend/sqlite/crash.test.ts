/** A process that is killed at any instant leaves a whole store that has everything it was told is written. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Prng } from "../../lib/prng.ts";
import { compareCounts, compareWith, expectedOf } from "../testing/compare.ts";
import { crashHistory } from "../testing/crash-history.ts";
import { KnownHistory } from "../testing/known-history.ts";
import { openLocally } from "../testing/local-client.ts";
import { checkStore } from "./check.ts";

const crashes = Number(process.env["ETCLITE_TEST_CRASHES"] ?? 6);
const seed = Number(process.env["ETCLITE_TEST_SEED"] ?? 1);
/** Then a new store is begun: the model gets slow. */
const crashesPerStore = 6;

const child = fileURLToPath(new URL("../testing/crash-child.ts", import.meta.url));
const launch = "Deno" in globalThis ? ["run", "-A", "--no-check", child] : [child];
const folder = mkdtempSync(join(tmpdir(), "etclite-crash-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Told {
  opened: number;
  written: number;
  durable: number;
}

/** Runs the child until it has been open for `lifeMs`, and kills it. */
async function runAndKill(dir: string, lifeMs: number): Promise<Told> {
  const told: Told = { opened: -1, written: 0, durable: 0 };
  const started = spawn(process.execPath, [...launch, dir, String(seed)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  started.stderr.on("data", (chunk: Buffer) => {
    errors += chunk;
  });
  let rest = "";
  started.stdout.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const [what, index] = line.split(" ") as [string, string];
      if (what === "open") {
        told.opened = Number(index);
        setTimeout(() => started.kill("SIGKILL"), lifeMs);
      } else if (what === "written") told.written = Number(index);
      else if (what === "durable") told.durable = Number(index);
    }
  });
  const [status, signal] = (await once(started, "close")) as [number | null, string | null];
  assert.equal(signal, "SIGKILL", `the child ended with ${status}: ${errors}`);
  return told;
}

async function inspect(dir: string, told: Told, before: number): Promise<number> {
  assert.equal(told.opened, before, "what was found before is not found again");
  const report = await checkStore(dir);
  assert.deepEqual(report.problems, []);
  const store = await openLocally(dir);
  try {
    const { appliedIndex, compactRevision, compactedRevision } = store.position;
    const atLeast = Math.max(told.opened, told.written, told.durable);
    assert.ok(appliedIndex >= atLeast, `${atLeast} was told to be written, ${appliedIndex} is there`);
    assert.ok(compactedRevision <= compactRevision);
    const model = new KnownHistory({ ...crashHistory, seed }).modelAt(appliedIndex);
    assert.ok(model, `between two generations: ${appliedIndex}`);
    const expected = expectedOf(model);
    compareWith(store, expected);
    compareCounts(store, expected);
    return appliedIndex;
  } finally {
    await store.close();
  }
}

for (let first = 0; first < crashes; first += crashesPerStore) {
  const count = Math.min(crashesPerStore, crashes - first);
  it(`survives ${count} kills (seed ${seed}, from ${first})`, { timeout: 120_000 }, async () => {
    const random = new Prng(seed, first);
    const dir = join(folder, String(first));
    let applied = 0;
    for (let crash = first; crash < first + count; crash++) {
      try {
        applied = await inspect(dir, await runAndKill(dir, random.below(random.pick([5, 50, 300]))), applied);
      } catch (error) {
        throw new Error(`seed ${seed}, crash ${crash}`, { cause: error });
      }
    }
    assert.ok(applied > 0, "nothing was ever written");
  });
}

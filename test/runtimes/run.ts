/**
 * `npm run test:runtimes`: the unit tests, the same files that `npm test` runs on Bun, on Deno and on a current Node.
 * Both come from npm, in fixed versions, into the tools folder, when this runs and not before.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exec, mustExec } from "../support/exec.ts";
import { repository, toolsFolder } from "../support/paths.ts";

interface Counts {
  passed: number;
  failed: number;
}

interface Runtime {
  readonly name: "deno" | "node";
  readonly version: string;
  readonly test: readonly string[];
  /** Where what a run prints turns to what failed. */
  readonly failures: RegExp;
  /** The counts in what a test run printed. */
  readonly counts: (output: string) => Counts | undefined;
}

/** Less than `.ci/run` waits, so that what was going on is still told. */
const runMsMax = 580_000;

const runtimes: readonly Runtime[] = [
  {
    name: "deno",
    version: "2.9.6",
    test: ["test", "-A", "--no-check", "--quiet"],
    failures: /^ ERRORS $/m,
    // "ok | 12 passed (30 steps) | 0 failed (1s)": a describe is a test, and what is in it are its steps.
    counts: (output) => {
      const last = [
        ...output.matchAll(/(\d+) passed(?: \((\d+) steps?\))? \| (\d+) failed(?: \((\d+) steps?\))?/g),
      ].at(-1);
      if (!last) return undefined;
      const [passed, passedSteps, failed, failedSteps] = last.slice(1).map((n) => Number(n ?? 0)) as [
        number,
        number,
        number,
        number,
      ];
      return { passed: passed + passedSteps, failed: failed + failedSteps };
    },
  },
  {
    name: "node",
    version: "24.21.0",
    test: ["--test", "--test-reporter=spec", "--disable-warning=ExperimentalWarning"],
    failures: /^✖ failing tests:/m,
    counts: (output) => {
      const count = (word: string) =>
        Number(new RegExp(`^ℹ ${word} (\\d+)`, "m").exec(output)?.[1] ?? Number.NaN);
      const passed = count("pass");
      const failed = count("fail") + count("cancelled");
      return Number.isNaN(passed + failed) ? undefined : { passed, failed };
    },
  },
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, help: { type: "boolean", default: false } },
});
if (options.help) {
  console.log("usage: npm run test:runtimes -- [--only deno|node] [part of a file name ...]");
  process.exit(0);
}

const files = ["src", "test"]
  .flatMap((folder) =>
    readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" }).map(
      (name) => `${folder}/${name}`,
    ),
  )
  .map((name) => name.replaceAll("\\", "/"))
  .filter((name) => name.endsWith(".test.ts"))
  .filter((name) => positionals.length === 0 || positionals.some((part) => name.includes(part)))
  .toSorted();

const wanted = runtimes.filter(({ name }) => options.only === undefined || options.only === name);
const programs = await Promise.all(wanted.map(fetchRuntime));
// Side by side: neither uses more than a core for most of the time.
const totals = await Promise.all(wanted.map((runtime, at) => run(runtime, programs[at]!)));
const sum = (of: (counts: Counts) => number): number => totals.reduce((total, one) => total + of(one), 0);
const [passed, failed] = [sum((counts) => counts.passed), sum((counts) => counts.failed)];
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

async function run(runtime: Runtime, program: string): Promise<Counts> {
  const result = await exec(program, [...runtime.test, ...files], {
    cwd: repository,
    timeoutMs: runMsMax,
    env: {
      ...process.env,
      DENO_DIR: join(toolsFolder, "deno-cache"),
      // Node runs each file in a process of its own, and would read and compile the same modules in each.
      NODE_COMPILE_CACHE: join(toolsFolder, "node-compile-cache"),
      NO_COLOR: "1",
    },
  });
  const output = result.stdout + result.stderr;
  const counts = runtime.counts(output) ?? { passed: 0, failed: 1 };
  // A run that ended badly without saying which test failed has failed all the same.
  if (result.status !== 0 && counts.failed === 0) counts.failed = 1;
  if (result.timedOut) {
    console.log(`${output.slice(-3_000)}\n${runtime.name} ran out of its ${runMsMax / 1000} seconds`);
  } else if (counts.failed > 0) console.log(output.slice(Math.max(0, output.search(runtime.failures))));
  console.log(`${runtime.name} ${runtime.version}: ${counts.passed} passed, ${counts.failed} failed`);
  return counts;
}

async function fetchRuntime(runtime: Runtime): Promise<string> {
  const folder = join(toolsFolder, `${runtime.name}-${runtime.version}`);
  const program = join(folder, "node_modules", ".bin", runtime.name);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const wanted = {
    private: true,
    dependencies: { [runtime.name]: runtime.version },
    allowScripts: { [runtime.name]: true }, // both fetch the executable for this machine in an install script
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(wanted));
  console.error(`fetching ${runtime.name} ${runtime.version}`);
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
  await mustExec("npm", args, { cwd: folder, timeoutMs: 300_000 });
  return program;
}

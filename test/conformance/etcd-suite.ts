/**
 * Runs etcd's own tests/common, built as a test program, against a folder of executables named etcd, etcdctl and
 * etcdutl, and compares the verdicts with the expected ones.
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exec, mustExec } from "../support/exec.ts";
import type { Report } from "../support/report.ts";
import { cleanEnvironment } from "../support/server-process.ts";
import { printTable } from "../support/table.ts";
import { etcdCommonTests, tool } from "../support/tools.ts";

type Verdict = "pass" | "skip" | "fail";

const wordVerdict: Readonly<Record<string, Verdict>> = { PASS: "pass", SKIP: "skip", FAIL: "fail" };

interface Options {
  readonly program: string;
  readonly folder: string;
  readonly report: Report;
  readonly expectedFile: string;
  /** Which tests; all by default. */
  readonly run: RegExp;
  /** Programs to take for etcdctl and etcdutl; etcd's own by default. */
  readonly etcdctl?: string | undefined;
  readonly etcdutl?: string | undefined;
  /** Writes the verdicts into the file of expected ones. */
  readonly update: boolean;
}

export async function runEtcdSuite(options: Options): Promise<void> {
  const { program, fixtures } = await etcdCommonTests();
  const place = await prepare(options, fixtures);
  const list = await mustExec(program, ["-test.list", "^Test"], place);
  const names = list.stdout.split("\n").filter((name) => /^Test\w+$/.test(name) && options.run.test(name));
  const expected = readExpected(options.expectedFile);
  const verdicts = new Map<string, Verdict>();
  const subtests = { pass: 0, skip: 0, fail: 0 };
  const rows: (string | number)[][] = [];
  const logs = join(options.folder, "logs");
  mkdirSync(logs);
  for (const name of names) {
    const started = performance.now();
    const args = ["-test.v", "-test.timeout=20m", `-test.run=^${name}$`, "-bin-dir", place.bin];
    const run = await exec(program, [...args, "-cert-dir", place.fixtures], {
      ...place,
      timeoutMs: 1_260_000,
    });
    writeFileSync(join(logs, `${name}.log`), run.stdout + run.stderr);
    const verdict = verdictOf(name, run.stdout);
    verdicts.set(name, verdict);
    for (const [, word] of run.stdout.matchAll(/^ +--- (PASS|SKIP|FAIL): /gm))
      subtests[wordVerdict[word!]!]++;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const want = expected.get(name) ?? "pass";
    rows.push([name, verdict, want, seconds]);
    if (verdict === want || options.update) options.report.pass(name, `${verdict} (${seconds} s)`);
    else options.report.fail(name, `expected ${want}, but: ${verdict}\n${tail(run.stdout + run.stderr)}`);
  }
  printTable(["test", "verdict", "expected", "s"], rows);
  const count = (wanted: Verdict) => [...verdicts.values()].filter((verdict) => verdict === wanted).length;
  console.log(`tests: ${count("pass")} pass, ${count("skip")} skip themselves, ${count("fail")} fail`);
  console.log(`sub-tests: ${subtests.pass} pass, ${subtests.skip} skip themselves, ${subtests.fail} fail`);
  if (options.update) writeExpected(options.expectedFile, new Map([...expected, ...verdicts]));
}

interface Place {
  readonly bin: string;
  readonly fixtures: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The framework looks for its fixtures beside its own folder, and for executables in one of ours. */
async function prepare(options: Options, fixtures: string): Promise<Place> {
  const bin = join(options.folder, "bin");
  const cwd = join(options.folder, "tests", "common");
  const temporary = join(options.folder, "tmp");
  for (const folder of [bin, cwd, temporary]) mkdirSync(folder, { recursive: true });
  const copy = join(options.folder, "tests", "fixtures");
  cpSync(fixtures, copy, { recursive: true });
  await mustExec("chmod", ["-R", "u+w", copy]);
  symlinkSync(options.program, join(bin, "etcd"));
  symlinkSync(options.etcdctl ?? (await tool("etcdctl")), join(bin, "etcdctl"));
  symlinkSync(options.etcdutl ?? (await tool("etcdutl")), join(bin, "etcdutl"));
  return { bin, cwd, fixtures: copy, env: { ...cleanEnvironment(), TMPDIR: temporary } };
}

function verdictOf(name: string, output: string): Verdict {
  const line = new RegExp(`^--- (PASS|SKIP|FAIL): ${name} `, "m").exec(output);
  return wordVerdict[line?.[1] ?? "FAIL"]!;
}

/** Lines of `TestName verdict`; `#` starts a comment. */
function readExpected(file: string): Map<string, Verdict> {
  const lines = readFileSync(file, "utf8").split("\n");
  const words = lines
    .map((line) => line.replace(/#.*/, "").trim().split(/\s+/))
    .filter((w) => w.length === 2);
  return new Map(words as [string, Verdict][]);
}

function writeExpected(file: string, verdicts: ReadonlyMap<string, Verdict>): void {
  const head = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("#"));
  const lines = [...verdicts].map(([name, verdict]) => `${name} ${verdict}`).toSorted();
  writeFileSync(file, `${[...head, ...lines].join("\n")}\n`);
}

/** The end of what it printed, without what went well. */
const tail = (text: string): string =>
  text
    .trimEnd()
    .split("\n")
    .filter((line) => !/--- (PASS|SKIP): /.test(line))
    .slice(-60)
    .join("\n");

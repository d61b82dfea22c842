/**
 * Runs etcd's own tests/common or tests/e2e, built as a test program, against a folder of executables named etcd,
 * etcdctl and etcdutl, and compares the verdicts with the expected ones.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exec, mustExec } from "../support/exec.ts";
import { repository } from "../support/paths.ts";
import type { Report } from "../support/report.ts";
import { cleanEnvironment } from "../support/server-process.ts";
import { printTable } from "../support/table.ts";
import { type EtcdSuite, etcdTests, tool } from "../support/tools.ts";

type Verdict = "pass" | "skip" | "fail";

/** "any": a test whose outcome says more of the machine than of the program. */
type Expected = Verdict | "any";

/** Most take seconds, the longest of tests/e2e a minute; some of those wait for a line of the log for ever. */
const testTimeout: Readonly<Record<EtcdSuite, string>> = { common: "20m", e2e: "5m" };

const wordVerdict: Readonly<Record<string, Verdict>> = { PASS: "pass", SKIP: "skip", FAIL: "fail" };

interface Options {
  readonly suite: EtcdSuite;
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
  const { suite } = options;
  const { program, fixtures } = await etcdTests(suite);
  const place = await prepare(options, fixtures);
  const list = await mustExec(program, ["-test.list", "^Test"], place);
  const names = list.stdout.split("\n").filter((name) => /^Test\w+$/.test(name) && options.run.test(name));
  const expected = readExpected(options.expectedFile);
  const verdicts = new Map<string, Verdict>();
  const subtests = { pass: 0, skip: 0, fail: 0 };
  const rows: (string | number)[][] = [];
  const logs = join(options.folder, suite, "logs");
  mkdirSync(logs);
  for (const name of names) {
    const started = performance.now();
    const args = ["-test.v", `-test.timeout=${testTimeout[suite]}`, `-test.run=^${name}$`];
    // What a member leaves that was told no folder would be the next one's data.
    rmSync(join(place.cwd, "default.etcd"), { recursive: true, force: true });
    const run = await exec(program, [...args, "-bin-dir", place.bin, "-cert-dir", place.fixtures], {
      ...place,
      timeoutMs: 1_260_000,
    });
    writeFileSync(join(logs, `${name}.log`), run.stdout + run.stderr);
    const verdict = verdictOf(name, run.stdout);
    verdicts.set(name, verdict);
    for (const [, word] of run.stdout.matchAll(/^ +--- (PASS|SKIP|FAIL): /gm))
      subtests[wordVerdict[word!]!]++;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const want = expected.get(name)?.want ?? "pass";
    rows.push([name, verdict, want, seconds]);
    if (verdict === want || want === "any" || options.update)
      options.report.pass(name, `${verdict} (${seconds} s)`);
    else options.report.fail(name, `expected ${want}, but: ${verdict}\n${tail(run.stdout + run.stderr)}`);
  }
  printTable(["test", "verdict", "expected", "s"], rows);
  const count = (wanted: Verdict) => [...verdicts.values()].filter((verdict) => verdict === wanted).length;
  console.log(`tests: ${count("pass")} pass, ${count("skip")} skip themselves, ${count("fail")} fail`);
  console.log(`sub-tests: ${subtests.pass} pass, ${subtests.skip} skip themselves, ${subtests.fail} fail`);
  if (options.update) writeExpected(options.expectedFile, expected, verdicts);
}

interface Place {
  readonly bin: string;
  readonly fixtures: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The framework looks for its fixtures beside its own folder, and for executables in one of ours. */
async function prepare(options: Options, fixtures: string): Promise<Place> {
  const root = join(options.folder, options.suite);
  const bin = join(root, "bin");
  const cwd = join(root, "tests", options.suite);
  const temporary = join(root, "tmp");
  for (const folder of [bin, cwd, temporary]) mkdirSync(folder, { recursive: true });
  const copy = join(root, "tests", "fixtures");
  cpSync(fixtures, copy, { recursive: true });
  await mustExec("chmod", ["-R", "u+w", copy]);
  // A test starts a server with the example of a configuration file, where etcd's sources have theirs.
  cpSync(join(repository, "etcd-config.example.yml"), join(root, "etcd.conf.yml.sample"));
  symlinkSync(options.program, join(bin, "etcd"));
  symlinkSync(options.etcdctl ?? (await tool("etcdctl")), join(bin, "etcdctl"));
  symlinkSync(options.etcdutl ?? (await tool("etcdutl")), join(bin, "etcdutl"));
  return { bin, cwd, fixtures: copy, env: { ...cleanEnvironment(), TMPDIR: temporary } };
}

function verdictOf(name: string, output: string): Verdict {
  const line = new RegExp(`^--- (PASS|SKIP|FAIL): ${name} `, "m").exec(output);
  return wordVerdict[line?.[1] ?? "FAIL"]!;
}

interface Expectation {
  readonly want: Expected;
  /** Why; empty, or with its `#`. */
  readonly comment: string;
}

/** Lines of `TestName verdict`; `#` starts a comment. */
function readExpected(file: string): Map<string, Expectation> {
  const expected = new Map<string, Expectation>();
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [, name, want, comment] = /^(Test\w+) (\w+)(?: (#.*))?$/.exec(line) ?? [];
    if (name !== undefined) expected.set(name, { want: want as Expected, comment: comment ?? "" });
  }
  return expected;
}

function writeExpected(
  file: string,
  before: ReadonlyMap<string, Expectation>,
  verdicts: ReadonlyMap<string, Verdict>,
): void {
  const head = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("#"));
  const after = new Map(before);
  for (const [name, verdict] of verdicts) {
    const old = before.get(name);
    if (old?.want !== "any")
      after.set(name, { want: verdict, comment: old?.want === verdict ? old.comment : "" });
  }
  const lines = [...after]
    .map(([name, { want, comment }]) => `${name} ${want} ${comment}`.trimEnd())
    .toSorted();
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

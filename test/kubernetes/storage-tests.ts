/**
 * The storage tests of k8s.io/apiserver itself, each with a server of the program's: what Kubernetes holds its own use
 * of etcd against. DESIGN.md says how they come to start another program than the etcd that is linked into them.
 */
import { type ExecResult, exec } from "../support/exec.ts";
import type { Report } from "../support/report.ts";
import { cleanEnvironment } from "../support/server-process.ts";
import { kubernetesStorageTests } from "../support/tools.ts";

const packages = {
  etcd3: "pkg/storage/etcd3",
  factory: "pkg/storage/storagebackend/factory",
  cacher: "pkg/storage/cacher",
} as const;

/** Builds them all. */
export async function buildStorageTests(): Promise<void> {
  for (const [name, pkg] of Object.entries(packages)) await kubernetesStorageTests(name, pkg);
}

/** Some of them give their own goroutines a tenth of a second, which a busy machine may not have. */
const triesMax = 3;

export interface StorageTestOptions {
  readonly program: string;
  readonly newReport: (prefix: string) => Report;
  /** Which tests, for Go's -test.run. */
  readonly run: string | undefined;
}

interface Run {
  readonly result: ExecResult;
  /** Every test came to its end. */
  readonly isWhole: boolean;
  readonly failed: readonly string[];
}

export async function storageTests({ program, newReport, run }: StorageTestOptions): Promise<void> {
  for (const [name, pkg] of Object.entries(packages)) {
    const report = newReport(`storage ${name}`);
    const tests = await kubernetesStorageTests(name, pkg);
    const start = (pattern: string | undefined, to: Report | undefined): Promise<Run> =>
      runTests({ ...tests, server: program, pattern, report: to });
    const { result, isWhole, failed } = await start(run, report);
    if (!isWhole) report.fail("ends", `${result.stdout.slice(-3000)}\n${result.stderr.slice(-5000)}`);
    for (const test of failed) await again(test, report, (pattern) => start(pattern, undefined));
  }
}

/** What failed among all the others gets to run alone. */
async function again(test: string, report: Report, start: (pattern: string) => Promise<Run>): Promise<void> {
  for (let tries = 2; ; tries++) {
    const { result, isWhole, failed } = await start(`^${test}$`);
    if (isWhole && failed.length === 0) return report.pass(test, `(at try ${tries})`);
    if (tries === triesMax) return report.fail(test, complaintsOf(result.stdout));
  }
}

async function runTests(options: {
  readonly program: string;
  readonly folder: string;
  readonly server: string;
  readonly pattern: string | undefined;
  /** Gets all verdicts but failures. */
  readonly report: Report | undefined;
}): Promise<Run> {
  const { program, folder, server, pattern, report } = options;
  const args = ["-test.v", "-test.timeout=20m", ...(pattern === undefined ? [] : [`-test.run=${pattern}`])];
  const failed: string[] = [];
  let isWhole = false;
  const onLine = (line: string): void => {
    if (line === "PASS" || line === "FAIL") isWhole = true;
    const verdict = /^--- (PASS|FAIL|SKIP): (\S+) \((\S+)\)/.exec(line);
    if (!verdict) return;
    const [, how, test, time] = verdict as unknown as [string, string, string, string];
    if (how === "PASS") report?.pass(test, `(${time})`);
    else if (how === "SKIP") report?.skipped(test, "skips itself");
    else failed.push(test);
  };
  const env = { ...cleanEnvironment(), ETCD_PROGRAM: server };
  const result = await exec(program, args, { cwd: folder, env, onLine, timeoutMs: 1_300_000 });
  return { result, isWhole: isWhole && !result.timedOut, failed };
}

/** What failed tests said. */
function complaintsOf(text: string): string {
  const lines = text.split("\n").filter((line) => /^\s+\S+_tests?\.go:\d+|^\s*--- FAIL|panic:/.test(line));
  return lines.slice(0, 100).join("\n");
}

/**
 * The storage tests of k8s.io/apiserver itself, each with a server of the program's: what Kubernetes holds its own use
 * of etcd against. DESIGN.md says how they come to start another program than the etcd that is linked into them.
 */
import { exec } from "../support/exec.ts";
import type { Report } from "../support/report.ts";
import { cleanEnvironment } from "../support/server-process.ts";
import { kubernetesStorageTests } from "../support/tools.ts";

const packages = {
  etcd3: "pkg/storage/etcd3",
  factory: "pkg/storage/storagebackend/factory",
  cacher: "pkg/storage/cacher",
} as const;

export interface StorageTestOptions {
  readonly program: string;
  readonly newReport: (prefix: string) => Report;
  /** Which tests, for Go's -test.run. */
  readonly run: string | undefined;
}

export async function storageTests({ program, newReport, run }: StorageTestOptions): Promise<void> {
  for (const [name, pkg] of Object.entries(packages)) {
    const report = newReport(`storage ${name}`);
    const tests = await kubernetesStorageTests(name, pkg);
    const args = ["-test.v", "-test.timeout=20m", ...(run === undefined ? [] : [`-test.run=${run}`])];
    let ended = false;
    const onLine = (line: string): void => {
      if (line === "PASS" || line === "FAIL") ended = true;
      const verdict = /^--- (PASS|FAIL|SKIP): (\S+) \((\S+)\)/.exec(line);
      if (!verdict) return;
      const [, how, test, time] = verdict as unknown as [string, string, string, string];
      if (how === "PASS") report.pass(test, `(${time})`);
      else if (how === "SKIP") report.skipped(test, "skips itself");
      else report.fail(test, `took ${time}`);
    };
    const env = { ...cleanEnvironment(), ETCD_PROGRAM: program };
    const result = await exec(tests.program, args, { cwd: tests.folder, env, onLine, timeoutMs: 1_300_000 });
    if (!ended || result.timedOut)
      report.fail("ends", `${result.stdout.slice(-3000)}\n${result.stderr.slice(-5000)}`);
    else if (result.status !== 0) console.log(failuresOf(result.stdout));
  }
}

/** What failed tests said, without the logs of the servers. */
function failuresOf(text: string): string {
  const lines = text.split("\n").filter((line) => /^\s+\S+_tests?\.go:\d+|^\s*--- FAIL|panic:/.test(line));
  return lines.slice(0, 100).join("\n");
}

/** `npm run conformance`: suites of others against the server program. DESIGN.md beside this says which and how. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { repository } from "../support/paths.ts";
import { Report } from "../support/report.ts";
import { commonHelp, commonOptions, scratchFolder, serverProgram } from "../support/scratch.ts";
import { runEtcdSuite } from "./etcd-suite.ts";
import { runH2spec } from "./h2spec.ts";

const { values: options } = parseArgs({
  options: {
    ...commonOptions,
    h2spec: { type: "boolean", default: false },
    "etcd-suite": { type: "boolean", default: false },
    "etcd-e2e": { type: "boolean", default: false },
    allow: { type: "string" },
    strict: { type: "boolean", default: false },
    run: { type: "string", default: "." },
    update: { type: "boolean", default: false },
    etcdctl: { type: "string" },
    etcdutl: { type: "string" },
    "own-ctl": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(`usage: npm run conformance -- [options]
${commonHelp}
  --h2spec        only h2spec (also what runs when no step is named)
  --allow FILE    cases of h2spec that may fail, one "section: title" a line
  --strict        h2spec's strict cases too
  --etcd-suite    etcd's own tests/common
  --etcd-e2e      etcd's own tests/e2e
  --run REGEX     which of those tests
  --update        write their verdicts to expected.txt, or to expected-e2e.txt
  --etcdctl PATH, --etcdutl PATH   programs to take instead of etcd's own
  --own-ctl       the server program stands in for etcdctl and etcdutl too`);
  process.exit(0);
}

const program = serverProgram(options.server);
const clientProgram = (named: string | undefined) =>
  named === undefined ? (options["own-ctl"] ? program : undefined) : resolve(named);
const report = new Report();
const folder = scratchFolder("conformance", options);
const suites = [
  ...(options["etcd-suite"] ? [{ suite: "common", expected: "expected.txt" } as const] : []),
  ...(options["etcd-e2e"] ? [{ suite: "e2e", expected: "expected-e2e.txt" } as const] : []),
];
if (options.h2spec || suites.length === 0) {
  const lines = options.allow === undefined ? [] : readFileSync(options.allow, "utf8").split("\n");
  const allowed = new Set(lines.filter((line) => line !== "" && !line.startsWith("#")));
  await runH2spec({ program, folder, report, allowed, strict: options.strict });
}
for (const { suite, expected } of suites) {
  await runEtcdSuite({
    suite,
    program,
    folder,
    report,
    expectedFile: join(repository, "test", "conformance", expected),
    run: new RegExp(options.run),
    etcdctl: clientProgram(options.etcdctl),
    etcdutl: clientProgram(options.etcdutl),
    update: options.update,
  });
}
report.finish();

/**
 * `npm run ctl`: the same command lines with etcdctl and with ours, each on a fresh server, compared byte by byte:
 * standard output, standard error and the exit status. DESIGN.md beside this says what is made equal before.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exec } from "../support/exec.ts";
import { freePort } from "../support/ports.ts";
import { Report } from "../support/report.ts";
import { commonHelp, commonOptions, scratchFolder, serverProgram } from "../support/scratch.ts";
import { cleanEnvironment, ServerProcess } from "../support/server-process.ts";
import { tool } from "../support/tools.ts";
import { Normalizer } from "./normalize.ts";
import { type Scenario, type Step, scenarios } from "./scenarios.ts";

const { values: options } = parseArgs({
  options: {
    ...commonOptions,
    ctl: { type: "string" },
    etcdctl: { type: "string" },
    run: { type: "string", default: "." },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(`usage: npm run ctl -- [options]
${commonHelp}
  --ctl PATH      our etcdctl (default: the server program, as "ctl")
  --etcdctl PATH  the etcdctl to compare with (default: etcd's own)
  --run REGEX     only scenarios whose name matches`);
  process.exit(0);
}

interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

const server = serverProgram(options.server);
const theirs = { program: options.etcdctl ?? (await tool("etcdctl")), first: [] as string[] };
const ours = options.ctl ? { program: options.ctl, first: [] } : { program: server, first: ["ctl"] };
const folder = scratchFolder("ctl", options);
const report = new Report({ filter: new RegExp(options.run) });
const filter = new RegExp(options.run);
const ports = { clientPort: await freePort(), peerPort: await freePort() };

for (const scenario of scenarios.filter(({ name }) => filter.test(name))) {
  const [wanted, got] = [await play(scenario, theirs, "theirs"), await play(scenario, ours, "ours")];
  for (const [at, step] of scenario.steps.entries()) {
    const name = `${scenario.name}: ${lineOf(step)}`;
    const difference = compare(wanted[at]!, got[at]!);
    if (difference === undefined) report.pass(name);
    else report.fail(name, difference);
  }
}
report.finish();

function lineOf(step: Step): string {
  return typeof step === "string" ? step : (step.name ?? step.args.join(" "));
}

type Side = typeof theirs;

async function play(scenario: Scenario, side: Side, label: string): Promise<Answer[]> {
  const place = join(folder, `${scenario.name.replaceAll(/\W+/g, "-")}-${label}`);
  const process = await ServerProcess.ready({
    program: server,
    folder: place,
    ...ports,
    // Passwords are not what is tested here, and take long.
    flags: ["--bcrypt-cost=4"],
  });
  const normalizer = new Normalizer();
  const answers: Answer[] = [];
  try {
    for (const step of scenario.steps) answers.push(await runStep(step, side, place, normalizer));
  } finally {
    await process.kill();
  }
  return answers;
}

async function runStep(step: Step, side: Side, place: string, normalizer: Normalizer): Promise<Answer> {
  const {
    args,
    input,
    env = {},
    withoutEndpoint = false,
    limitMs,
  } = typeof step === "string" ? { args: step.split(" ") } : step;
  const endpoint = withoutEndpoint ? [] : [`--endpoints=127.0.0.1:${ports.clientPort}`];
  const words = args.map((word) =>
    normalizer.expand(word).replaceAll("$PORT", String(ports.clientPort)).replaceAll("$DIR", place),
  );
  const result = await exec(
    side.program,
    [...side.first, ...words.slice(0, 1), ...endpoint, ...words.slice(1)],
    {
      env: { ...cleanEnvironment(), ...env },
      timeoutMs: limitMs ?? 30_000,
      ...(input === undefined ? {} : { input: normalizer.expand(input) }),
    },
  );
  return {
    stdout: withoutOwnCommands(normalizer.normalize(result.bytes.toString("latin1"), place)),
    stderr: withoutOwnCommands(normalizer.normalize(result.stderr, place)),
    status: limitMs === undefined ? result.status : 0,
  };
}

/** Of commands that only ours has. */
function withoutOwnCommands(text: string): string {
  return text.replace(/\nBeyond etcdctl\n(?: {2}.*\n)+/, "").replace(/^\tls\n/m, "");
}

function compare(wanted: Answer, got: Answer): string | undefined {
  const parts = (["stdout", "stderr", "status"] as const).filter((part) => wanted[part] !== got[part]);
  if (parts.length === 0) return undefined;
  return parts
    .map(
      (part) => `${part}:\n  etcdctl ${JSON.stringify(wanted[part])}\n  ours    ${JSON.stringify(got[part])}`,
    )
    .join("\n");
}

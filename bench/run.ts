/** `npm run bench`: real etcd and ours in turns, in one run, and a table with a ratio for each figure. */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { commonHelp, commonOptions, scratchFolder, serverProgram } from "../test/support/scratch.ts";
import { tool } from "../test/support/tools.ts";
import { auth } from "./auth.ts";
import { catchup } from "./cluster/catchup.ts";
import { failover } from "./cluster/failover.ts";
import { resize } from "./cluster/resize.ts";
import { clusterThroughput } from "./cluster/throughput.ts";
import type { Context, Subject } from "./context.ts";
import { million } from "./million.ts";
import { Results } from "./results.ts";
import { idle, startup } from "./startup.ts";
import { throughput } from "./throughput.ts";
import { tls } from "./tls.ts";

const allParts = [
  "puts",
  "ranges",
  "tls",
  "auth",
  "startup",
  "idle",
  "memory",
  "latency",
  "start",
  "cluster",
  "failover",
  "catchup",
  "resize",
] as const;

const { values: options } = parseArgs({
  options: {
    ...commonOptions,
    etcd: { type: "string" },
    only: { type: "string", default: allParts.join() },
    "no-etcd": { type: "boolean", default: false },
    rounds: { type: "string" },
    keys: { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(`usage: npm run bench -- [options]
${commonHelp}
  --etcd PATH     the etcd to compare with (default: 3.7.3, built from its Go module)
  --no-etcd       ours alone
  --only LIST     of ${allParts.join()}
                  (memory, latency and start share one load of the keys)
  --rounds N      rounds of each throughput run (default 3)
  --keys N        keys of the large store (default 1,000,000)
  --quick         one round, a tenth of the requests and keys: to see that it works
  --json FILE     the figures as JSON too`);
  process.exit(0);
}

const parts = new Set(options.only.split(","));
for (const part of parts) {
  if (!(allParts as readonly string[]).includes(part)) throw new Error(`--only has no part ${part}`);
}
const ours: Subject = { name: "ours", program: serverProgram(options.server) };
const etcd = async (): Promise<Subject> => ({
  name: "etcd",
  program: options.etcd === undefined ? await tool("etcd") : resolve(options.etcd),
});
const context: Context = {
  subjects: options["no-etcd"] ? [ours] : [await etcd(), ours],
  results: new Results(),
  folder: scratchFolder("bench", options),
  rounds: Number(options.rounds ?? (options.quick ? 1 : 3)),
  keys: Number(options.keys ?? (options.quick ? 100_000 : 1_000_000)),
  scale: options.quick ? 0.1 : 1,
};

if (parts.has("puts")) await throughput(context, "puts");
if (parts.has("ranges")) await throughput(context, "ranges");
if (parts.has("tls")) await tls(context);
if (parts.has("auth")) await auth(context);
if (parts.has("startup")) await startup(context);
if (parts.has("idle")) await idle(context, options.quick ? 3_000 : 10_000);
if (["memory", "latency", "start"].some((part) => parts.has(part))) await million(context, parts);
if (parts.has("cluster")) await clusterThroughput(context);
if (parts.has("failover")) await failover(context);
if (parts.has("catchup")) await catchup(context);
if (parts.has("resize")) await resize(context);

console.log(`\n${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}; medians; etcd 3.7.3\n`);
console.log(context.results.markdown());
if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify(context.results.json(), null, 2)}\n`);
}

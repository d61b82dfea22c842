/**
 * `bun test/tls/run.ts [--server PATH] [--run REGEX]`: the compiled program with TLS, asked by etcdctl, and in clusters
 * with real etcds. Needs go the first time, to build etcd.
 */
import { parseArgs } from "node:util";
import { Report } from "../support/report.ts";
import { commonHelp, commonOptions, scratchFolder, serverProgram } from "../support/scratch.ts";
import { clientChecks } from "./clients.ts";
import { memberChecks } from "./members.ts";
import { World } from "./world.ts";

const { values: options } = parseArgs({
  options: { ...commonOptions, run: { type: "string" }, help: { type: "boolean", default: false } },
});
if (options.help) {
  console.log(
    `usage: bun test/tls/run.ts [options]\n${commonHelp}\n  --run REGEX     only checks whose name matches`,
  );
  process.exit(0);
}
const filter = options.run === undefined ? undefined : new RegExp(options.run);
const world = await World.make(scratchFolder("tls", options), serverProgram(options.server));
const [clients, members] = ["clients", "members"].map((prefix) => new Report({ prefix, filter }));
await clientChecks(world, clients!);
await memberChecks(world, members!);
const total = new Report();
total.addAll([clients!, members!]);
total.finish();

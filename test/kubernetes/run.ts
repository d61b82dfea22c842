/**
 * `npm run kubernetes`: a real Kubernetes control plane on the server program. Its programs are built from Go modules
 * the first time, which takes a quarter of an hour and 2 GB of memory. DESIGN.md beside this says what is checked.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exec } from "../support/exec.ts";
import { Report } from "../support/report.ts";
import { commonHelp, commonOptions, scratchFolder, serverProgram } from "../support/scratch.ts";
import { kubernetesVersion, tool } from "../support/tools.ts";
import { controllerChecks } from "./controllers.ts";
import { encryptionChecks } from "./encryption.ts";
import { compareFigures } from "./figures.ts";
import { logChecks } from "./logs.ts";
import { objectChecks } from "./objects.ts";
import { clusterChecks, restartChecks } from "./outages.ts";
import { buildStorageTests, storageTests } from "./storage-tests.ts";
import { hastyFlags, storeChecks } from "./store.ts";
import { watchChecks } from "./watches.ts";
import { type KubePrograms, stopStore, World } from "./world.ts";

const parts = ["api", "uncached", "encryption", "cluster", "controllers", "storage"];
const { values: options } = parseArgs({
  options: {
    ...commonOptions,
    only: { type: "string", default: parts.join() },
    run: { type: "string" },
    figures: { type: "boolean", default: false },
    rounds: { type: "string", default: "2" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(`usage: npm run kubernetes -- [options]
${commonHelp}
  --only LIST     of ${parts.join()}
  --run REGEX     only checks whose name matches; of the storage tests, those that Go's -test.run takes
  --figures       no checks: measures the API server on etcd and on the server program, in turns
  --rounds N      of --figures (2)`);
  process.exit(0);
}
const only = options.only.split(",");
for (const name of only) if (!parts.includes(name)) throw new Error(`--only has no part ${name}`);
const program = serverProgram(options.server);
const folder = scratchFolder("kubernetes", options);
const filter = options.run === undefined ? undefined : new RegExp(options.run);
const reports: Report[] = [];
const newReport = (prefix: string): Report => {
  const report = new Report({ prefix, filter });
  reports.push(report);
  return report;
};

const go = await exec("go", ["version"]).catch(() => undefined);
if (go?.status !== 0) leave("there is no Go on the path to build Kubernetes with");
const programs = await kubePrograms().catch(leaveWithoutModules);
if (only.includes("storage") && !options.figures) await buildStorageTests().catch(leaveWithoutModules);
console.log(`Kubernetes ${kubernetesVersion()} on ${program}`);
if (options.figures) {
  const etcd = await World.make(join(folder, "etcd"), await tool("etcd"), programs);
  const etclite = await World.make(join(folder, "ours"), program, programs);
  await compareFigures({ etcd, etclite }, Number(options.rounds));
  process.exit(0);
}

const world = await World.make(folder, program, programs);
if (only.includes("api")) {
  const members = await world.startStore();
  const api = await world.startApi(members, [...hastyFlags, "--disable-admission-plugins=ServiceAccount"]);
  const context = { world, members, api, report: newReport("api") };
  await objectChecks(context);
  await watchChecks(context);
  await storeChecks(context);
  await logChecks(context);
  await restartChecks(context);
  await api.stop();
  await stopStore(members);
}
if (only.includes("uncached")) {
  // The same without the API server's own cache: every read and every watch is the store's to answer.
  const members = await world.startStore();
  const api = await world.startApi(members, [
    "--watch-cache=false",
    "--disable-admission-plugins=ServiceAccount",
  ]);
  await objectChecks({ world, members, api, report: newReport("uncached") });
  await api.stop();
  await stopStore(members);
}
if (only.includes("encryption")) await encryptionChecks(world, newReport("encryption"));
if (only.includes("cluster")) await clusterChecks(world, newReport("cluster"));
if (only.includes("controllers")) await controllerChecks(world, newReport("controllers"));
if (only.includes("storage")) await storageTests({ program, newReport, run: options.run });

const total = new Report();
total.addAll(reports);
total.finish();

async function kubePrograms(): Promise<KubePrograms> {
  return {
    apiserver: await tool("kube-apiserver"),
    kubectl: await tool("kubectl"),
    controllers: await tool("kube-controller-manager"),
    scheduler: await tool("kube-scheduler"),
  };
}

/** Modules that cannot be had are no fault of anybody here; what does not compile is. */
function leaveWithoutModules(error: unknown): never {
  const text = String(error);
  const reason =
    /^.*(?:dial tcp|lookup|proxyconnect|i\/o timeout|403 Forbidden|404 Not Found|GOPROXY).*$/m.exec(
      text,
    )?.[0];
  if (reason === undefined) throw error;
  leave(`its Go modules cannot be had: ${reason.trim()}`);
}

/** Nothing was tried, and nothing is wrong with the server: says why, and ends well. */
function leave(why: string): never {
  console.log(`SKIP kubernetes  ${why}`);
  console.log("1 skipped\n0 passed, 0 failed");
  process.exit(0);
}

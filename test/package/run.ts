/**
 * `npm run package`: packs the library as it would be published and uses it from a fresh project, on each runtime that is
 * there, and under the type checker.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { exec, mustExec } from "../support/exec.ts";
import { repository, toolsFolder } from "../support/paths.ts";

const folder = join(repository, "dist", "package-test");
const modules = join(folder, "node_modules");

const program = `
import { Etcd } from "etclite";
import { cluster } from "etclite/methods";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
const timed = async () => {
  const startedMs = performance.now();
  const etcd = await Etcd.start({ memory: true });
  return { etcd, ms: (performance.now() - startedMs).toFixed(1) };
};
const first = await timed();
await first.etcd.close();
const second = await timed();
const { etcd } = second;
await etcd.client.kv.put("a", "b");
const lock = await etcd.client.lock("l");
const { members } = await etcd.client.raw.unary(cluster.memberList, {});
await lock.release();
const version = await (await fetch(etcd.endpoint + "/version")).json();
const dir = mkdtempSync(join(tmpdir(), "etclite-package-"));
const onDisk = await Etcd.start({ dataDir: join(dir, "data") });
await onDisk.client.kv.put("k", "v");
const value = (await onDisk.client.kv.get("k"))?.value;
await onDisk.close();
await etcd.close();
rmSync(dir, { recursive: true, force: true });
console.log(value === "v" && members.length === 1 && version.etcdserver === "3.7.3" ? "ok" : "wrong", "ready in " + first.ms + " ms, then in " + second.ms + " ms");
`;

const typed = `
import { Etcd, type KeyValue } from "etclite";
import { cluster } from "etclite/methods";
await using etcd = await Etcd.start({ memory: true, heartbeatIntervalMs: 50 });
const kv: KeyValue | undefined = await etcd.client.kv.get("a");
export const text: string | undefined = kv?.value;
await using lock = await etcd.client.lock("l", { ttlSeconds: 5 });
const { members } = await etcd.client.raw.unary(cluster.memberList, {});
export const facts: [string, string | undefined] = [lock.key, members[0]?.name];
// @ts-expect-error: a number is no value
await etcd.client.kv.put("a", 1);
`;

async function main(): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(modules, { recursive: true });
  const packed = await mustExec("npm", ["pack", "--pack-destination", folder], {
    cwd: repository,
    timeoutMs: 300_000,
  });
  const archive = join(folder, packed.stdout.trim().split("\n").at(-1) ?? "");
  await mustExec("tar", ["-xzf", archive, "-C", modules], {});
  await mustExec("mv", [join(modules, "package"), join(modules, "etclite")], {});
  linkDependencies();
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }\n');
  writeFileSync(join(folder, "use.js"), program);
  writeFileSync(join(folder, "typed.ts"), typed);
  const failed: string[] = [];
  for (const [name, command, ...args] of runtimes()) {
    const { stdout, stderr } = await exec(command, [...args, "use.js"], { cwd: folder, timeoutMs: 120_000 });
    console.log(`${name}: ${stdout.trim() || stderr.trim()}`);
    if (!stdout.startsWith("ok")) failed.push(name);
  }
  const tsc = join(repository, "node_modules", ".bin", "tsc");
  const flags =
    "--ignoreConfig --noEmit --strict --skipLibCheck --target ES2022 --lib ES2024,ESNext.Disposable --types node";
  const checked = await exec(tsc, [...flags.split(" "), "--module", "nodenext", "typed.ts"], {
    cwd: folder,
    timeoutMs: 300_000,
  });
  console.log(`types: ${checked.stdout.trim() || "ok"}`);
  if (checked.status !== 0) failed.push("types");
  if (failed.length > 0) throw new Error(`the package does not work: ${failed.join(", ")}`);
}

/** What npm would install beside it: what it names as its dependencies, and nothing that only this repository has. */
function linkDependencies(): void {
  const { dependencies } = JSON.parse(readFileSync(join(modules, "etclite", "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  // The types are what a project in TypeScript has itself.
  for (const name of [...Object.keys(dependencies), "@types/node"]) {
    const link = join(modules, name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(repository, "node_modules", name), link);
  }
}

function runtimes(): (readonly [name: string, command: string, ...args: string[]])[] {
  const found: (readonly [string, string, ...string[]])[] = [["Bun", process.execPath]];
  const bin = (tool: string, name: string) => join(toolsFolder, tool, "node_modules", ".bin", name);
  const node = existsSync(toolsFolder) && readdirSync(toolsFolder).find((name) => name.startsWith("node-"));
  const deno = existsSync(toolsFolder) && readdirSync(toolsFolder).find((name) => /^deno-\d/.test(name));
  if (node) found.push(["Node", bin(node, "node")]);
  if (deno) found.push(["Deno", bin(deno, "deno"), "run", "-A"]);
  return found;
}

await main();

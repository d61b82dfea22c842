/**
 * Programs that the slow suites need: etcd's own, h2spec, and the Go programs of this repository. Each is built by
 * the `go` on the path, from versions pinned by a go.mod and go.sum, into the tools folder, under a name that holds a
 * hash of what it was built from: so a change builds it again and nothing is ever stale.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { mustExec } from "./exec.ts";
import { repository, toolsFolder } from "./paths.ts";

const goPackages = {
  etcd: ["etcd", "go.etcd.io/etcd/server/v3"],
  etcdctl: ["etcd", "go.etcd.io/etcd/etcdctl/v3"],
  etcdutl: ["etcd", "go.etcd.io/etcd/etcdutl/v3"],
  h2spec: ["h2spec", "github.com/summerwind/h2spec/cmd/h2spec"],
} as const;

export type ToolName = keyof typeof goPackages;

/** The path of a tool, building it if need be. Those of one set lie in one folder, under their plain names. */
export async function tool(name: ToolName): Promise<string> {
  const [set, pkg] = goPackages[name];
  const source = join(repository, "test", "tools", set);
  const folder = join(toolsFolder, `${set}-${hashOf(source)}`);
  await build(source, pkg, join(folder, name));
  return join(folder, name);
}

/** The folder with etcd, etcdctl and etcdutl in it. */
export async function etcdFolder(): Promise<string> {
  const etcd = await tool("etcd");
  await tool("etcdctl");
  await tool("etcdutl");
  return join(etcd, "..");
}

/** Builds the Go program whose main package and go.mod are in `folder` (relative to the repository). */
export async function goProgram(folder: string): Promise<string> {
  const source = join(repository, folder);
  const target = join(toolsFolder, `${folder.replaceAll(/[\\/]/g, "-")}-${hashOf(source)}`);
  await build(source, ".", target);
  return target;
}

/** etcd's tests/common as a test program that starts the servers found in a folder, and its own certificates. */
export async function etcdCommonTests(): Promise<{ program: string; fixtures: string }> {
  const source = join(repository, "test", "tools", "etcd");
  const program = join(toolsFolder, `etcd-${hashOf(source)}`, "common.test");
  if (!existsSync(program)) {
    const part = `${program}.${process.pid}`;
    const args = ["test", "-c", "-tags=e2e", "-o", part, "go.etcd.io/etcd/tests/v3/common"];
    await mustExec("go", args, { cwd: source, timeoutMs: 900_000 });
    renameSync(part, program);
  }
  const list = await mustExec("go", ["list", "-m", "-f", "{{.Dir}}", "go.etcd.io/etcd/tests/v3"], {
    cwd: source,
  });
  return { program, fixtures: join(list.stdout.trim(), "fixtures") };
}

async function build(source: string, pkg: string, target: string): Promise<void> {
  if (existsSync(target)) return;
  mkdirSync(join(target, ".."), { recursive: true });
  console.error(`building ${pkg === "." ? source : pkg}`);
  const part = `${target}.${process.pid}`;
  await mustExec("go", ["build", "-trimpath", "-o", part, pkg], { cwd: source, timeoutMs: 900_000 });
  renameSync(part, target); // whoever comes second finds a whole file
}

/** A hash of all the files of a folder: twelve hexadecimal digits. */
export function hashOf(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    if (!/\.(go|mod|sum|txt|xml|java)$/.test(name)) continue;
    hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
  }
  return hash.digest("hex").slice(0, 12);
}

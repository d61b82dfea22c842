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
  "kube-apiserver": ["kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"],
  "kube-controller-manager": ["kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"],
  "kube-scheduler": ["kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"],
  kubectl: ["kubernetes", "k8s.io/kubernetes/cmd/kubectl"],
} as const;

export type ToolName = keyof typeof goPackages;

/** The path of a tool, building it if need be. Those of one set lie in one folder, under their plain names. */
export async function tool(name: ToolName): Promise<string> {
  const [set, pkg] = goPackages[name];
  const source = join(repository, "test", "tools", set);
  const folder = join(toolsFolder, `${set}-${hashOf(source)}`);
  await build(source, pkg, join(folder, name), linkFlags(set));
  return join(folder, name);
}

/** The version of Kubernetes that test/tools/kubernetes pins: `v1.36.3`. */
export function kubernetesVersion(): string {
  const text = readFileSync(join(repository, "test", "tools", "kubernetes", "go.mod"), "utf8");
  const match = /^(?:require |\t)k8s\.io\/kubernetes (v\S+)/m.exec(text);
  if (!match) throw new Error("test/tools/kubernetes/go.mod does not name a version of k8s.io/kubernetes");
  return match[1] as string;
}

/** Kubernetes' programs learn their version when they are linked; without one they say v0.0.0. */
function linkFlags(set: string): string[] {
  if (set !== "kubernetes") return [];
  const version = kubernetesVersion();
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor };
  const each = Object.entries(values).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  return ["-ldflags", `-s -w ${each.join(" ")}`];
}

/**
 * The tests of a package of k8s.io/apiserver as a program that runs in `folder`. test/tools/kubernetes-storage stands in
 * for the etcd that they would link: they start the program that ETCD_PROGRAM names.
 */
export async function kubernetesStorageTests(
  name: string,
  pkg: string,
): Promise<{ program: string; folder: string }> {
  const source = join(repository, "test", "tools", "kubernetes-storage");
  const program = join(toolsFolder, `kubernetes-storage-${hashOf(source)}`, `${name}.test`);
  if (!existsSync(program)) {
    mkdirSync(join(program, ".."), { recursive: true });
    console.error(`building the tests of k8s.io/apiserver/${pkg}`);
    const part = `${program}.${process.pid}`;
    const args = ["test", "-c", "-trimpath", "-o", part, `k8s.io/apiserver/${pkg}`];
    await mustExec("go", args, { cwd: source, timeoutMs: 3_600_000 });
    renameSync(part, program);
  }
  const list = await mustExec("go", ["list", "-m", "-f", "{{.Dir}}", "k8s.io/apiserver"], { cwd: source });
  return { program, folder: join(list.stdout.trim(), pkg) };
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

/** Packages of etcd's tests that start servers as processes. */
export type EtcdSuite = "common" | "e2e";

/** One of them as a test program that starts the servers found in a folder, and its own certificates. */
export async function etcdTests(suite: EtcdSuite): Promise<{ program: string; fixtures: string }> {
  const source = join(repository, "test", "tools", "etcd");
  const program = join(toolsFolder, `etcd-${hashOf(source)}`, `${suite}.test`);
  if (!existsSync(program)) {
    mkdirSync(join(program, ".."), { recursive: true });
    const part = `${program}.${process.pid}`;
    const args = ["test", "-c", "-tags=e2e", "-o", part, `go.etcd.io/etcd/tests/v3/${suite}`];
    await mustExec("go", args, { cwd: source, timeoutMs: 900_000 });
    renameSync(part, program);
  }
  const list = await mustExec("go", ["list", "-m", "-f", "{{.Dir}}", "go.etcd.io/etcd/tests/v3"], {
    cwd: source,
  });
  return { program, fixtures: join(list.stdout.trim(), "fixtures") };
}

async function build(
  source: string,
  pkg: string,
  target: string,
  more: readonly string[] = [],
): Promise<void> {
  if (existsSync(target)) return;
  mkdirSync(join(target, ".."), { recursive: true });
  console.error(`building ${pkg === "." ? source : pkg}`);
  const part = `${target}.${process.pid}`;
  const args = ["build", "-trimpath", ...more, "-o", part, pkg];
  await mustExec("go", args, { cwd: source, timeoutMs: 3_600_000 });
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

/**
 * Makes the archives of a release: `npm run release [-- --target linux-amd64 --check]`, all platforms by default. Each is
 * laid out as etcd's are: a folder with etcd, etcdctl and etcdutl, which here are one program by three names. `--check`
 * makes everything a second time and compares.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { writeTarGz, writeZip } from "./archive.ts";
import { bun, bundledPackages, type Component } from "./components.ts";
import { billOfMaterials, licences } from "./documents.ts";
import { releaseFolder, root } from "./paths.ts";
import { chosenTargets, type Target } from "./targets.ts";
import { currentVersion, hasUncommittedChanges } from "./version.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string", multiple: true, default: [] },
    check: { type: "boolean", default: false },
  },
});

const version = currentVersion();
/** All of docs/ comes along, so that what the README points to is there. */
const documents = ["README.md", "CHANGELOG.md", "LICENSE", "etcd-config.example.yml", ...filesOf("docs")];

interface Made {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly programBytes: number;
}

/** Those that are in the repository. */
function filesOf(folder: string): string[] {
  const { status, stdout } = spawnSync("git", ["ls-files", "-z", folder], { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`git cannot list ${folder}`);
  return stdout.split("\0").filter((path) => path !== "");
}

function compile(target: Target, outfile: string): Component[] {
  const metafile = `${outfile}.meta.json`;
  const { status } = spawnSync(
    process.execPath,
    ["compile.ts", "--target", target.bun, "--outfile", outfile, "--metafile", metafile],
    { cwd: root, stdio: ["ignore", "ignore", "inherit"] },
  );
  if (status !== 0) throw new Error(`${target.name}: the compiler ended with status ${status}`);
  const components = [bun(), ...bundledPackages(metafile)];
  rmSync(metafile);
  return components;
}

/** The program's other names: links where archives can hold them, otherwise copies of a few bytes that start it. */
function otherNames(target: Target, folder: string): void {
  if (target.isWindows) {
    const launcher = (word: string) => `@"%~dp0etcd.exe" ${word} %*\r\n`;
    writeFileSync(join(folder, "etcdctl.cmd"), launcher("ctl"));
    writeFileSync(join(folder, "etcdutl.cmd"), launcher("utl"));
  } else if (target.archive === "tar.gz") {
    for (const name of ["etclite", "etcdctl", "etcdutl"]) symlinkSync("etcd", join(folder, name));
  } else {
    for (const [name, word] of [
      ["etcdctl", "ctl"],
      ["etcdutl", "utl"],
    ] as const) {
      const launcher = `#!/bin/sh\nexec "$(dirname "$0")/etcd" ${word} "$@"\n`;
      writeFileSync(join(folder, name), launcher);
      chmodSync(join(folder, name), 0o755);
    }
  }
}

async function make(target: Target, into: string): Promise<Made> {
  const name = `etclite-v${version.name}-${target.name}`;
  const folder = join(into, name);
  mkdirSync(folder, { recursive: true });
  const program = join(folder, target.isWindows ? "etcd.exe" : "etcd");
  const components = compile(target, program);
  otherNames(target, folder);
  for (const path of documents) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(join(root, path), join(folder, path));
  }
  if (target.name.startsWith("linux"))
    copyFileSync(join(root, "docs/deploy/etclite.service"), join(folder, "etclite.service"));
  if (target.name.startsWith("darwin"))
    cpSync(join(root, "docs/deploy/io.etclite.server.plist"), join(folder, "io.etclite.server.plist"));
  writeFileSync(join(folder, "THIRD-PARTY-LICENSES.txt"), licences(components));
  writeFileSync(join(folder, "sbom.cdx.json"), billOfMaterials(version, target.name, components));
  const file = `${name}.${target.archive}`;
  if (target.archive === "zip") writeZip(join(into, file), into, name, version.date);
  else await writeTarGz(join(into, file), into, name, version.date);
  const programBytes = readFileSync(program).length;
  rmSync(folder, { recursive: true });
  const bytes = readFileSync(join(into, file));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { file, sha256, bytes: bytes.length, programBytes };
}

async function makeAll(into: string): Promise<Made[]> {
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  const made: Made[] = [];
  for (const target of chosenTargets(values.target)) made.push(await make(target, into));
  writeFileSync(join(into, "SHA256SUMS"), made.map(({ sha256, file }) => `${sha256}  ${file}\n`).join(""));
  return made;
}

if (hasUncommittedChanges()) console.log("note: there are changes that the commit does not have");
const made = await makeAll(releaseFolder);
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`.padStart(10);
for (const { file, bytes, programBytes } of made)
  console.log(`${file.padEnd(50)}${mib(bytes)}, program ${mib(programBytes)}`);
if (values.check) {
  const second = join(releaseFolder, "second");
  const again = await makeAll(second);
  rmSync(second, { recursive: true });
  const differ = made.filter(({ sha256 }, at) => sha256 !== again[at]!.sha256).map(({ file }) => file);
  console.log(
    differ.length === 0 ? "made twice, byte for byte the same" : `not the same twice: ${differ.join(", ")}`,
  );
  console.log(`${made.length - differ.length} passed, ${differ.length} failed`);
  process.exit(differ.length === 0 ? 0 : 1);
}

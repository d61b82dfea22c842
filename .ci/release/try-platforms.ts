/**
 * Runs the checks of the compiled program on the executables of a release (`npm run release` first): natively, under
 * qemu's user emulation for arm64, and under Wine for Windows. What this machine cannot run is said with the reason.
 *
 * Debian's packages for it: qemu-user-static, libc6-arm64-cross, wine, wine64, gcc-mingw-w64-x86-64-win32.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { extract } from "tar";
import { releaseFolder, root } from "./paths.ts";
import { type Target, targets } from "./targets.ts";

/** The words before the program's path, or why it cannot be run here. */
type Runner = readonly string[] | string;

const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
const arm64Root = "/usr/aarch64-linux-gnu";

function runner({ name }: Target): Runner {
  if (name.startsWith("darwin")) return "there is no emulator of macOS";
  if (name.startsWith("windows")) return wineRunner();
  if (name.endsWith("-musl")) return muslRunner(name);
  if (name.startsWith("linux-arm64")) {
    if (process.arch === "arm64") return [];
    if (!has("qemu-aarch64-static")) return "qemu-user-static is not installed";
    return existsSync(arm64Root)
      ? ["qemu-aarch64-static", "-L", arm64Root]
      : "libc6-arm64-cross is not installed";
  }
  return process.arch === "x64" ? [] : "this machine has another processor";
}

const mingw = "x86_64-w64-mingw32-gcc-win32";

function wineRunner(): Runner {
  if (!has("wine")) return "Wine is not installed";
  return has(mingw) ? ["wine"] : "the compiler for the library that Wine lacks is not installed";
}

/** Puts beside the program what Debian's Wine lacks. */
function completeWine(folder: string): void {
  const source = join(root, ".ci/release/bcryptprimitives.c");
  const made = spawnSync(mingw, [
    "-shared",
    "-o",
    join(folder, "bcryptprimitives.dll"),
    source,
    "-ladvapi32",
  ]);
  if (made.status !== 0) throw new Error(`${mingw}: ${made.stderr}`);
}

/** musl's loader alone will not do: the executable also wants a libstdc++ made for musl, as Alpine has. */
function muslRunner(name: string): Runner {
  const processor = name.includes("arm64") ? "aarch64" : "x86_64";
  if (!existsSync(`/lib/ld-musl-${processor}.so.1`)) return `no musl for ${processor}`;
  return existsSync("/etc/alpine-release") ? [] : "it wants a libstdc++ made for musl, as Alpine has";
}

async function unpack(file: string, into: string): Promise<string> {
  if (file.endsWith(".tar.gz")) await extract({ file, cwd: into });
  else {
    for (const [path, bytes] of Object.entries(unzipSync(readFileSync(file)))) {
      mkdirSync(dirname(join(into, path)), { recursive: true });
      writeFileSync(join(into, path), bytes, { mode: 0o755 });
    }
  }
  return join(into, readdirSync(into)[0]!);
}

async function tryTarget(
  target: Target,
  file: string,
  words: readonly string[],
): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), `try-${target.name}-`));
  try {
    const unpacked = await unpack(file, folder);
    const program = join(unpacked, target.isWindows ? "etcd.exe" : "etcd");
    if (target.isWindows) completeWine(unpacked);
    const start = join(folder, "start");
    const env = { ...process.env, WINEPREFIX: join(folder, "wine"), WINEDEBUG: "-all" };
    writeFileSync(start, `#!/bin/sh\nexec ${[...words, `"${program}"`].join(" ")} "$@"\n`);
    chmodSync(start, 0o755);
    const version = spawnSync(start, ["--version"], { encoding: "utf8", timeout: 120_000, env });
    if (version.status !== 0)
      return `--version: ${(version.stderr || `status ${version.status}`).trim().split("\n").at(-1)}`;
    const checks = ["test/compiled/run.ts", "--server", start];
    const { status, stdout } = spawnSync(process.execPath, checks, { cwd: root, encoding: "utf8", env });
    return status === 0 ? undefined : stdout.trim().split("\n").slice(-8).join("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const archives = existsSync(releaseFolder) ? readdirSync(releaseFolder) : [];
let passed = 0;
let failed = 0;
for (const target of targets) {
  const archive = archives.find((name) => name.endsWith(`-${target.name}.${target.archive}`));
  const words = runner(target);
  const say = (what: string) => console.log(`${target.name.padEnd(22)}${what}`);
  if (archive === undefined) say("not made: see npm run release");
  else if (typeof words === "string") say(`not run: ${words}`);
  else {
    const problem = await tryTarget(target, join(releaseFolder, archive), words);
    if (problem === undefined) passed++;
    else failed++;
    say(
      problem === undefined ? `works${words.length > 0 ? ` (under ${words[0]})` : ""}` : `FAILED: ${problem}`,
    );
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

// Installs what is missing before a script runs. Plain JavaScript for Node 20 or newer, because this is what
// runs first in a fresh clone, before there is a Bun.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const installed = join(root, "node_modules", ".package-lock.json");
const wanted = join(root, "package-lock.json");

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(wanted).mtimeMs) {
  // npm's talk goes to standard error: standard output belongs to the script that follows.
  const npm = (args, output) =>
    spawnSync("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", output, output],
      shell: process.platform === "win32",
    });
  // `npm ci` refuses a lock file without the optional packages of other platforms, and npm leaves those out that the
  // registry did not have when the file was made. An install that writes no lock file keeps to the rest of it.
  if (npm(["ci"], "ignore").status !== 0) {
    const { status } = npm(["install", "--no-save"], 2);
    if (status !== 0) process.exit(status ?? 1);
  }
}

/**
 * Makes dist/npm, what the npm package is: a few bundled modules in place of some hundred source files, so that a program
 * that imports it does not open a file for each, and the types. What is loaded later, and what the package depends on, is
 * outside of them. Part of `npm pack`.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import manifest from "../../package.json" with { type: "json" };

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const out = join(root, "dist", "npm");

function run(command: string, ...args: string[]): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", process.stderr, "inherit"] });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(out, { recursive: true, force: true });
run(join(root, "node_modules", ".bin", "tsc"), "-p", "tsconfig.package.json");
/** Small parts of these are needed at each start: they are in the bundle, and their licences beside it. */
const inside = ["hono", "zod"];
const { dependencies, optionalDependencies } = manifest;
const outside = Object.keys({ ...dependencies, ...optionalDependencies })
  .filter((name) => !inside.includes(name))
  .flatMap((name) => [name, `${name}/*`]);
run(
  process.execPath,
  "build",
  "--target=node",
  "--splitting",
  "--root=src",
  `--outdir=${out}`,
  // A worker is found under its path in src/, from a folder beside it: see runtime/start-worker.ts.
  "--chunk-naming=chunks/[name]-[hash].js",
  "--minify-whitespace",
  "--minify-syntax",
  ...[...outside, "bun:*"].map((name) => `--external=${name}`),
  "src/library/index.ts",
  "src/library/methods.ts",
  "src/backend/sqlite/worker.ts",
  "src/runtime/password-worker.ts",
);
const licences = inside.map((name) => {
  const text = readFileSync(join(root, "node_modules", name, "LICENSE"), "utf8");
  return `The modules here have parts of ${name} in them, whose licence is:\n\n${text.trim()}\n`;
});
writeFileSync(join(out, "LICENSES"), licences.join("\n----\n\n"));

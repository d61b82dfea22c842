/**
 * Makes the executable: `npm run compile`, or `bun compile.ts [--target bun-linux-arm64] [--outfile PATH]`. The same
 * sources and the same file name of the executable give the same bytes. Archives for all platforms: `npm run release`.
 *
 * The program is src/cmd/main.ts with all that it imports. A worker is a program of its own, so each file that talks to
 * `parentPort` is a further entry point; `runtime/start-worker.ts` finds it under its path in src/.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(fileURLToPath(import.meta.url));
const src = join(root, "src");

const { values } = parseArgs({
  options: {
    target: { type: "string" },
    outfile: { type: "string" },
    /** Says, as JSON, which files are inside. */
    metafile: { type: "string" },
    /** For measuring: leaves the step out. */
    "no-bytecode": { type: "boolean", default: false },
    "no-minify": { type: "boolean", default: false },
    "no-splitting": { type: "boolean", default: false },
  },
});

const windows =
  values.target === undefined ? process.platform === "win32" : values.target.includes("windows");
const named = values.target === undefined ? "etclite" : `etclite-${values.target.replace(/^bun-/, "")}`;
const outfile = resolve(values.outfile ?? join(root, "dist", windows ? `${named}.exe` : named));

function workers(): string[] {
  return readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .map((path) => join(src, path))
    .filter((path) =>
      /import\s*\{[^}]*\bparentPort\b[^}]*\}\s*from "node:worker_threads"/.test(readFileSync(path, "utf8")),
    );
}

function gitSha(): string | undefined {
  const git = spawnSync("git", ["rev-parse", "--short=9", "HEAD"], { cwd: root, encoding: "utf8" });
  return git.status === 0 ? git.stdout.trim() : undefined;
}

function buildArguments(): string[] {
  const sha = gitSha();
  return [
    "build",
    "--compile",
    "--root",
    src,
    "--outfile",
    outfile,
    ...(values.target === undefined ? [] : ["--target", values.target]),
    ...(values.metafile === undefined ? [] : [`--metafile=${resolve(values.metafile)}`]),
    ...(values["no-minify"] ? [] : ["--minify"]),
    // Bytecode alone would make it CommonJS, whose import.meta.url is the source file on the machine that built it.
    ...(values["no-bytecode"] ? [] : ["--bytecode", "--format=esm"]),
    // Without it all of the programs is one module, and each start reads what only another one needs.
    ...(values["no-splitting"] ? [] : ["--splitting"]),
    // The program is a server in somebody's folder: what lies there is not for it to obey.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    ...(sha === undefined ? [] : ["--define", `ETCLITE_GIT_SHA=${JSON.stringify(sha)}`]),
    join(src, "cmd", "main.ts"),
    ...workers(),
  ];
}

mkdirSync(dirname(outfile), { recursive: true });
const build = spawnSync(process.execPath, buildArguments(), {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});
if (build.status !== 0) process.exit(build.status ?? 1);
console.log(relative(process.cwd(), outfile) || outfile);

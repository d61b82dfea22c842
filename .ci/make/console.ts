/**
 * Makes src/gen/console-assets.ts, the console as the server serves it, from src/console: `npm run console`. The outcome is
 * in the repository, so that the server runs from source on any runtime; a test says when it is out of date.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { consoleSourcesHash } from "../../src/http/console/sources-hash.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const source = join(root, "src", "console");
const folder = mkdtempSync(join(tmpdir(), "etclite-console-"));

const build = spawnSync(
  process.execPath,
  [
    "build",
    "--target=browser",
    "--minify",
    "--outdir",
    folder,
    join(source, "main.ts"),
    join(source, "style.css"),
  ],
  { stdio: ["ignore", "ignore", "inherit"] },
);
if (build.status !== 0) process.exit(1);

const files: readonly (readonly [name: string, type: string, bytes: Buffer])[] = [
  ["index.html", "text/html; charset=utf-8", readFileSync(join(source, "index.html"))],
  ["icon.svg", "image/svg+xml", readFileSync(join(source, "icon.svg"))],
  ["main.js", "text/javascript; charset=utf-8", readFileSync(join(folder, "main.js"))],
  ["style.css", "text/css; charset=utf-8", readFileSync(join(folder, "style.css"))],
];
rmSync(folder, { recursive: true });

let total = 0;
const entries = files.map(([name, type, bytes]) => {
  const gzip = gzipSync(bytes, { level: 9 });
  total += gzip.length;
  return `  ${JSON.stringify(name)}: { type: ${JSON.stringify(type)}, gzip: ${JSON.stringify(gzip.toString("base64"))} },\n`;
});
writeFileSync(
  join(root, "src", "gen", "console-assets.ts"),
  `// Made by .ci/make/console.ts from src/console. Do not edit.
/** What the console's sources were when this was made. */
export const sourcesHash = ${JSON.stringify(consoleSourcesHash(source))};
/** By name: the media type, and the gzipped bytes in base64. */
export const consoleAssets: Readonly<Record<string, { readonly type: string; readonly gzip: string }>> = {
${entries.join("")}};
`,
);
console.log(`the console is ${total} bytes, compressed`);

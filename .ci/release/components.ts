/** What an executable is made of besides our own sources: the npm packages in it, and Bun with what Bun is made of. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.ts";

export interface Component {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, or words where there is none. */
  readonly licence: string;
  /** The text that its licence asks to be handed on. */
  readonly text: string;
  readonly purl: string;
  /** Base64 of the package's SHA-512, where the lock file has it. */
  readonly sha512?: string;
}

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
}

/** The npm packages that the bundler put into the executable, by the metafile that it wrote. */
export function bundledPackages(metafile: string): Component[] {
  const { inputs } = JSON.parse(readFileSync(metafile, "utf8")) as { inputs: Record<string, unknown> };
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as LockFile;
  const folders = Object.keys(inputs).map((path) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  const distinct = [...new Set(folders)].filter((folder) => folder !== undefined);
  return distinct
    .map((folder) => packageIn(folder.slice(folder.indexOf("node_modules/")), lock))
    .sort(byName);
}

const byName = (a: Component, b: Component): number => (a.name < b.name ? -1 : 1);

function packageIn(folder: string, lock: LockFile): Component {
  const path = join(root, folder);
  const { name, version, license } = JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as {
    name: string;
    version: string;
    license?: string;
  };
  const integrity = lock.packages[folder]?.integrity;
  return {
    name,
    version,
    licence: license ?? "no licence named",
    text: licenceText(path),
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    ...(integrity?.startsWith("sha512-") ? { sha512: integrity.slice("sha512-".length) } : {}),
  };
}

function licenceText(folder: string): string {
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const wanted = files.filter((name) => /^(licen[cs]e|copying|notice)/i.test(name)).sort();
  return wanted.map((name) => readFileSync(join(folder, name), "utf8").trim()).join("\n\n");
}

/** Libraries that are linked into Bun, with their licences, as Bun's own list names them. */
const inBun: readonly (readonly [string, string])[] = [
  ["JavaScriptCore and parts of WebKit", "LGPL-2.0-or-later, BSD-2-Clause"],
  ["BoringSSL", "Apache-2.0, ISC, OpenSSL"],
  ["brotli", "MIT"],
  ["libarchive", "BSD-2-Clause and others"],
  ["lol-html", "BSD-3-Clause"],
  ["ls-hpack, ls-qpack, lsquic", "MIT, BSD-3-Clause"],
  ["mimalloc", "MIT"],
  ["picohttpparser", "MIT or Artistic-1.0-Perl"],
  ["zstd", "BSD-3-Clause or GPL-2.0-only"],
  ["simdutf, highway", "Apache-2.0"],
  ["tinycc", "LGPL-2.1-only"],
  ["uSockets, uWebSockets", "Apache-2.0"],
  ["zlib-ng", "Zlib"],
  ["c-ares", "MIT"],
  ["ICU", "Unicode-3.0"],
  ["libbase64", "BSD-2-Clause"],
  ["libuv (on Windows)", "MIT"],
  ["libdeflate", "MIT"],
  ["libjpeg-turbo", "IJG, BSD-3-Clause, Zlib"],
  ["libspng", "BSD-2-Clause"],
  ["libwebp", "BSD-3-Clause"],
  ["SQLite", "public domain"],
  ["uucode", "MIT"],
  ["parts of TigerBeetle and of LLVM's libc++abi", "Apache-2.0"],
  ["acorn, browserify's packages for Node's modules", "MIT"],
];

/** Bun, which every executable carries. */
export function bun(): Component {
  const { version } = JSON.parse(readFileSync(join(root, "node_modules/bun/package.json"), "utf8")) as {
    version: string;
  };
  const width = Math.max(...inBun.map(([name]) => name.length));
  const list = inBun.map(([name, licence]) => `  ${name.padEnd(width)}  ${licence}`).join("\n");
  return {
    name: "bun",
    version,
    licence: "MIT",
    text: [
      "The executable carries the runtime Bun (MIT, https://bun.sh), which is linked with:",
      list,
      "Each has its text in Bun's sources (https://github.com/oven-sh/bun, LICENSE.md). JavaScriptCore and tinycc are under",
      "the LGPL: whoever wants to change them builds Bun with the changes, as its LICENSE.md tells, and then this program",
      "with that Bun (`bun compile.ts`); all of this program's sources are open.",
    ].join("\n\n"),
    purl: `pkg:npm/bun@${version}`,
  };
}

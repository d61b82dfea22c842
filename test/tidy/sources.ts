/** The repository's own files, as the tidy tests see them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../support/paths.ts";

export interface Source {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const skipped = new Set(["node_modules", ".git", "dist", ".scratch", "target"]);
const binary = /\.(png|ico|gif|jpg|woff2?|db|crt|key|gz|bin)$/;

/** All text files, without what is fetched or built. */
export function allSources(): Source[] {
  const found: Source[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(repository, folder), { withFileTypes: true })) {
      if (skipped.has(entry.name)) continue; // `.git` is a file in a linked work tree
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!entry.name.endsWith(".etcd")) walk(path);
      } else if (entry.isFile() && !binary.test(path) && !path.endsWith(".log")) {
        found.push({ path, text: readFileSync(join(repository, path), "utf8") });
      }
    }
  };
  walk("");
  return found;
}

export const isTypeScript = (source: Source): boolean => source.path.endsWith(".ts");
export const isGenerated = (source: Source): boolean => source.path.startsWith("src/gen/");
export const inSrc = (source: Source): boolean => source.path.startsWith("src/");
/** Tests, and what only tests import. */
export const isTest = (source: Source): boolean =>
  /\.test\.ts$|\/(testing|testdata)\//.test(source.path) || source.path.startsWith("test/");

/** The folder of src/ that a path is in; a file directly in src/ belongs to `cmd`: it may import everything. */
export function layerFolder(path: string): string | undefined {
  const parts = path.split("/");
  if (parts[0] !== "src") return undefined;
  return parts.length === 2 ? "cmd" : parts[1];
}

/** The text with its comments blanked, and its strings too unless `keepStrings`. Line breaks stay. */
export function codeOf(text: string, options: { readonly keepStrings: boolean }): string {
  const token = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return text.replace(token, (found) => {
    const isComment = found.startsWith("//") || found.startsWith("/*");
    if (!isComment && options.keepStrings) return found;
    return found.replace(/[^\n]/g, " ");
  });
}

/** One line for a list of problems. */
export function at(source: Source, offset: number, what: string): string {
  return `${source.path}:${source.text.slice(0, offset).split("\n").length}: ${what}`;
}

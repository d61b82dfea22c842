/** Checks the import graph of src/ against the layers. Each function answers with a list of problems. */
import { layers, sideways } from "./layers.ts";
import { at, codeOf, inSrc, isTest, isTypeScript, layerFolder, type Source } from "./sources.ts";

export interface Import {
  readonly from: Source;
  readonly offset: number;
  readonly specifier: string;
  /** The imported file, relative to the repository, if the specifier is a path. */
  readonly target: string | undefined;
  /** Gone when the program runs. */
  readonly isTypeOnly: boolean;
}

const importPatterns = [
  /(?:^|\n)\s*(?:import|export)\b[^;"'`]*?\bfrom\s*"([^"]+)"/g,
  /(?:^|\n)\s*import\s*"([^"]+)"/g,
  /\bimport\(\s*"([^"]+)"/g,
  /\bnew URL\(\s*"(\.[^"]+\.ts)"\s*,\s*import\.meta\.url/g,
];

export function importsOf(source: Source): Import[] {
  const code = codeOf(source.text, { keepStrings: true });
  return importPatterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => {
      const specifier = match[1] as string;
      const offset = match.index + match[0].length - specifier.length;
      const target = resolve(source.path, specifier);
      return { from: source, offset, specifier, target, isTypeOnly: importsTypesOnly(match[0]) };
    }),
  );
}

/** `import type …`, or one whose names all have `type` before them. */
function importsTypesOnly(statement: string): boolean {
  if (/^\s*(?:import|export)\s+type\b/.test(statement)) return true;
  const names = /^\s*(?:import|export)\s*\{([^}]*)\}/.exec(statement)?.[1];
  if (names === undefined) return false;
  const each = names.split(",").filter((name) => name.trim() !== "");
  return each.length > 0 && each.every((name) => /^\s*type\s/.test(name));
}

function resolve(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

const rankOf = (folder: string): number => layers.findIndex((line) => line.includes(folder));

/** Imports that point up or along a line, and folders that the table does not know. */
export function wrongArrows(sources: readonly Source[]): string[] {
  const problems: string[] = [];
  for (const source of sources.filter((s) => inSrc(s) && isTypeScript(s))) {
    const from = layerFolder(source.path) as string;
    if (rankOf(from) < 0) problems.push(`${source.path}: the layers do not know the folder ${from}`);
    for (const found of importsOf(source)) {
      const why = wrongArrow(source, from, found);
      if (why) problems.push(at(source, found.offset, why));
    }
  }
  return problems;
}

function wrongArrow(source: Source, from: string, found: Import): string | undefined {
  if (found.target === undefined) return undefined;
  const to = layerFolder(found.target);
  if (to === undefined) {
    // A test may use what the suites share; the product may not reach out of src/.
    const allowed = isTest(source) || found.target.endsWith(".json");
    return allowed ? undefined : `src/ must not import ${found.specifier}`;
  }
  if (to === from) return undefined;
  if (rankOf(from) < rankOf(to)) return undefined;
  if (rankOf(from) > rankOf(to)) return `${from} must not import ${to}: that points up`;
  if (isTest(source) || sideways.some((s) => s.from === from && s.to === to)) return undefined;
  return `${from} must not import ${to}: they are on one line`;
}

/** Relative imports name the file with its ending, so that every runtime finds it without a build. */
export function wrongEndings(sources: readonly Source[]): string[] {
  return sources.filter(isTypeScript).flatMap((source) =>
    importsOf(source)
      .filter((found) => found.target !== undefined && !/\.(ts|json|js|mjs)$/.test(found.specifier))
      .map((found) => at(source, found.offset, `import ${found.specifier} without its ending`)),
  );
}

/**
 * Files that import themselves by way of others: each cycle once. Imports of types alone do not count: they are gone at
 * run time, and two halves of one thing (a connection and its streams) may well name each other's types.
 */
export function cycles(sources: readonly Source[]): string[] {
  const files = new Map(sources.filter((s) => inSrc(s) && isTypeScript(s)).map((s) => [s.path, s]));
  const edges = new Map<string, string[]>();
  for (const [path, source] of files) {
    const targets = importsOf(source)
      .filter((found) => !found.isTypeOnly)
      .map((found) => found.target);
    edges.set(
      path,
      targets.filter((target): target is string => target !== undefined && files.has(target)),
    );
  }
  const problems: string[] = [];
  const state = new Map<string, "open" | "done">();
  const trail: string[] = [];
  const visit = (path: string): void => {
    state.set(path, "open");
    trail.push(path);
    for (const target of edges.get(path) ?? []) {
      if (state.get(target) === "open") {
        problems.push(`cycle: ${[...trail.slice(trail.indexOf(target)), target].join(" -> ")}`);
      } else if (!state.has(target)) visit(target);
    }
    trail.pop();
    state.set(path, "done");
  };
  for (const path of files.keys()) if (!state.has(path)) visit(path);
  return problems;
}

/** The configuration file: sets of flags by name, one of them the current. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Flag, FlagValues } from "../lib/command-line/flags.ts";
import { configVariable } from "./environment.ts";
import { badArguments } from "./exit.ts";
import type { CtlIo } from "./io.ts";

export interface ContextFile {
  readonly path: string;
  readonly current: string | undefined;
  /** Values of flags, by their names, by the name of the context. */
  readonly contexts: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** Where the file is, or would be; undefined for somebody without a home. */
export function contextPath({ env }: CtlIo): string | undefined {
  const named = env[configVariable];
  if (named) return named;
  const folder = env["XDG_CONFIG_HOME"] || (env["HOME"] && join(env["HOME"], ".config"));
  return folder ? join(folder, "etclite", "ctl.yaml") : undefined;
}

/** Sets the flags that neither the command line nor a variable has set. */
export async function applyContext(flags: FlagValues, known: readonly Flag[], io: CtlIo): Promise<void> {
  const wanted = flags.string("context");
  const path = contextPath(io);
  if (path === undefined || !existsSync(path)) {
    if (path !== undefined && io.env[configVariable])
      badArguments(`${configVariable}: there is no file ${path}`);
    if (wanted !== "") badArguments(`there is no context ${wanted}: no file ${path ?? "with contexts"}`);
    return;
  }
  const file = await readContexts(path);
  const name = wanted === "" ? file.current : wanted;
  if (name === undefined) return;
  const settings = file.contexts.get(name);
  if (settings === undefined) {
    badArguments(`there is no context ${name} in ${path}: it has ${[...file.contexts.keys()].join(", ")}`);
    return;
  }
  for (const [flagName, value] of settings) {
    const flag = known.find((one) => one.name === flagName && one.name !== "context");
    if (flag === undefined) badArguments(`context ${name} in ${path}: there is no flag --${flagName}`);
    else if (!flags.isGiven(flagName)) setFrom(flags, flag, value, `context ${name} in ${path}`);
  }
}

function setFrom(flags: FlagValues, flag: Flag, value: string, where: string): void {
  try {
    flags.set(flag, value);
  } catch (error) {
    badArguments(`${where}: ${(error as Error).message}`);
  }
}

export async function readContexts(path: string): Promise<ContextFile> {
  const { parse } = await import("yaml");
  let root: unknown;
  try {
    root = parse(readFileSync(path, "utf8"));
  } catch (error) {
    return badArguments(`${path}: ${(error as Error).message}`);
  }
  const { "current-context": current, contexts } = objectOf(root, path);
  const entries = Object.entries(objectOf(contexts ?? {}, `${path}: contexts`)).map(
    ([name, settings]) => [name, textsOf(objectOf(settings, `${path}: context ${name}`))] as const,
  );
  return { path, current: current === undefined ? undefined : String(current), contexts: new Map(entries) };
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  return badArguments(`${what} is not a list of names and values`);
}

const textsOf = (settings: Record<string, unknown>): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(settings).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(",") : String(value),
    ]),
  );

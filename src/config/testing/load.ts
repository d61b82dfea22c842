/** Loads settings without a machine: for tests. */
import type { Config, Notice } from "../config.ts";
import { type ConfigSources, type Loaded, loadConfig } from "../load.ts";

export interface Given {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Files by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly defaultHost?: string;
}

export function load({ args = [], env = {}, files = {}, defaultHost }: Given): Promise<Loaded> {
  const sources: ConfigSources = {
    args,
    env,
    readFile(path) {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return text;
    },
    defaultHost: () => defaultHost,
  };
  return loadConfig(sources);
}

export async function loadGood(given: Given): Promise<{ config: Config; notices: readonly Notice[] }> {
  const loaded = await load(given);
  if (loaded.kind !== "config") throw new Error(`expected settings, got ${JSON.stringify(loaded)}`);
  return loaded;
}

/** A file's settings alone. */
export const loadYaml = (text: string): Promise<{ config: Config; notices: readonly Notice[] }> =>
  loadGood({ args: ["--config-file", "c.yml"], files: { "c.yml": text } });

/** Why settings are refused, and with which status: the error of the last line, or that of the command line. */
export async function refusal(given: Given): Promise<{ status: number; error: string }> {
  const loaded = await load(given);
  if (loaded.kind === "usage") return { status: 2, error: loaded.message };
  if (loaded.kind !== "refused") throw new Error(`expected a refusal, got ${loaded.kind}`);
  const line = loaded.notices.find((notice) => notice.message === "failed to verify flags");
  return {
    status: loaded.exitStatus,
    error: String(line?.fields?.["error"] ?? loaded.notices.at(-1)?.message),
  };
}

export const yamlRefusal = (text: string): Promise<{ status: number; error: string }> =>
  refusal({ args: ["--config-file", "c.yml"], files: { "c.yml": text } });

/** Messages of level "warn". */
export const warnings = (notices: readonly Notice[]): string[] =>
  notices.filter(({ level }) => level === "warn").map(({ message }) => message);

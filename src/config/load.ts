/**
 * From what the program was started with to a `Config`. Flags come before the environment; a file comes instead of
 * both. Nothing here reads a clock or prints: what is to be said comes back as notices.
 */

import { systemWords } from "../lib/system-words.ts";
import { assembleConfig } from "./assemble.ts";
import { unsetAdvertiseClientUrls } from "./check.ts";
import { adviceOn, type CommandLine, readCommandLine } from "./command-line.ts";
import {
  type Config,
  ConfigError,
  entries,
  type FieldName,
  type LoggingSettings,
  type Notice,
  options,
  withPlace,
} from "./config.ts";
import {
  configFileVariable,
  type Environment,
  readEnvironment,
  ShadowedVariable,
  variablesInUse,
} from "./environment.ts";
import { UsageError } from "./go-flags.ts";
import type { Plain } from "./parse-value.ts";

export interface ConfigSources {
  /** Without the program's own name. */
  readonly args: readonly string[];
  readonly env: Environment;
  /** Throws what `fs.readFileSync` throws. */
  readonly readFile: (path: string) => string;
  readonly defaultHost?: () => string | undefined;
}

export type Loaded =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  /** The command line cannot be read: text and usage go to stderr, and the program ends with 2. */
  | { readonly kind: "usage"; readonly message: string; readonly advice: string | undefined }
  /** Log the notices and end. */
  | {
      readonly kind: "refused";
      readonly exitStatus: number;
      readonly notices: readonly Notice[];
      readonly logging: LoggingSettings | undefined;
    }
  | { readonly kind: "config"; readonly config: Config; readonly notices: readonly Notice[] };

const caller = "config/load.ts";

export async function loadConfig(sources: ConfigSources): Promise<Loaded> {
  let line: CommandLine;
  try {
    line = readCommandLine(sources.args);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    return { kind: "usage", message: cause.message, advice: adviceOn(cause, sources.args) };
  }
  if (line.help) return { kind: "help" };
  const notices: Notice[] = [];
  let logging: LoggingSettings | undefined;
  try {
    if (line.rest.length > 0) throw new ConfigError(`${JSON.stringify(line.rest[0])} is not a valid flag`);
    if (line.version) return { kind: "version" };
    const config = await fromSources(sources, line, notices, (settled) => {
      logging = settled;
    });
    return { kind: "config", config, notices };
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    return { kind: "refused", exitStatus: cause.exitStatus, notices: lastWords(cause, notices), logging };
  }
}

async function fromSources(
  sources: ConfigSources,
  line: CommandLine,
  notices: Notice[],
  onLogging: (logging: LoggingSettings) => void,
): Promise<Config> {
  const { env, defaultHost } = sources;
  const shared = { notices, onLogging, ...(defaultHost && { defaultHost }) };
  const configFile = line.configFile === "" ? (env[configFileVariable] ?? "") : line.configFile;
  if (configFile !== "") {
    // Loaded only now: most members run without a file, and reading YAML takes a while to load.
    const { readYamlSettings } = await import("./yaml-file.ts");
    const file = readYamlSettings(readConfigFile(sources, configFile), configFile);
    notices.push(...aboutFile(configFile, line, env), ...file.notices);
    const { values, given, places } = file;
    try {
      return assembleConfig({ ...shared, values, explicit: new Set(given), configFile, places });
    } catch (cause) {
      throw withPlace(cause, places);
    }
  }
  const fromEnv = readEnvironment(env, line.given);
  notices.push(...fromEnv.notices);
  const values = await finishAll(new Map([...fromEnv.values, ...line.values]));
  return assembleConfig({ ...shared, values, explicit: new Set([...line.given, ...fromEnv.given]) });
}

async function finishAll(plain: ReadonlyMap<FieldName, Plain>): Promise<Map<FieldName, unknown>> {
  const { finishValue } = await import("./schema.ts");
  return new Map([...plain].map(([field, value]) => [field, finishValue(options[field].kind, value)]));
}

function readConfigFile({ readFile }: ConfigSources, path: string): string {
  try {
    return readFile(path);
  } catch (cause) {
    throw new ConfigError(`open ${path}: ${systemWords(cause)}`);
  }
}

/** What a file makes of no effect is named, because it is easy to overlook. */
function aboutFile(path: string, line: CommandLine, env: Environment): Notice[] {
  const message =
    "loaded server configuration, other configuration command line flags and environment variables " +
    "will be ignored if provided";
  const loaded: Notice = { level: "info", caller, message, fields: { path } };
  const flags = entries.map(([, { flag }]) => flag).filter((flag) => line.given.has(flag));
  const variables = variablesInUse(env);
  if (flags.length === 0 && variables.length === 0) return [loaded];
  const ignored: Notice = {
    level: "warn",
    caller,
    message: "flags and environment variables are ignored because there is a configuration file",
    fields: { path, flags: flags.map((flag) => `--${flag}`), "environment-variables": variables },
  };
  return [loaded, ignored];
}

function lastWords(cause: ConfigError, notices: readonly Notice[]): Notice[] {
  if (cause instanceof ShadowedVariable) return [...cause.notices];
  const fields = { error: cause.message };
  const words: Notice[] = [{ level: "warn", caller, message: "failed to verify flags", fields }];
  if (cause.message === unsetAdvertiseClientUrls) {
    words.push({ level: "warn", caller, message: "advertise client URLs are not set", fields });
  }
  return [...notices, ...words];
}

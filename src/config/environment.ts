/** `ETCD_*` variables as settings. */
import { goQuote } from "../lib/go-quote.ts";
import { put } from "./command-line.ts";
import { ConfigError, entries, type FieldName, fieldOfFlag, type Notice, options } from "./config.ts";
import { variableOf } from "./option.ts";
import { type Plain, parseValue } from "./parse-value.ts";
import { adviceFor, ignoredFlags } from "./removed-flags.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface FromEnvironment {
  readonly values: ReadonlyMap<FieldName, Plain>;
  /** Flags that variables have set. */
  readonly given: readonly string[];
  readonly notices: readonly Notice[];
}

const caller = "config/environment.ts";
const prefix = "ETCD_";
export const configFileVariable = variableOf("config-file");
const versionVariable = variableOf("version");

/**
 * Variables for flags that the command line does not have. A variable whose flag it does have stops the start: etcd
 * refuses to guess which of the two is meant, and a script that relies on either is wrong half of the time.
 */
export function readEnvironment(env: Environment, onCommandLine: ReadonlySet<string>): FromEnvironment {
  const values = new Map<FieldName, Plain>();
  const notices: Notice[] = [];
  const given: string[] = [];
  const faults: string[] = [];
  const known = new Set<string>([versionVariable, configFileVariable]);
  if (env[versionVariable]) {
    const fields = { key: versionVariable, value: env[versionVariable] };
    notices.push({ level: "warn", caller, message: "cannot set special environment variable", fields });
  }
  for (const flag of flagNames()) {
    const variable = variableOf(flag);
    known.add(variable);
    const text = env[variable];
    if (text === undefined) continue;
    if (onCommandLine.has(flag)) throw new ShadowedVariable(variable, notices);
    if (text === "") continue;
    const field = fieldOfFlag(flag);
    const fields = { "variable-name": variable, "variable-value": shown(field, text) };
    try {
      const value = field && parseValue(options[field].kind, text);
      if (field && value !== undefined) put(values, field, value);
    } catch (cause) {
      const quoted = field && options[field].secret ? '"..."' : goQuote(text);
      faults.push(`invalid value ${quoted} for ${variable}: ${(cause as Error).message}`);
      continue;
    }
    given.push(flag);
    notices.push({ level: "info", caller, message: "recognized and used environment variable", fields });
  }
  notices.push(...unknownVariables(env, known));
  if (faults.length > 0) throw new ConfigError(faults.join("; "));
  return { values, given, notices };
}

/** A flag and its variable are both there. etcd ends at once with this line. */
export class ShadowedVariable extends ConfigError {
  readonly variable: string;
  readonly notices: readonly Notice[];

  constructor(variable: string, before: readonly Notice[]) {
    const message =
      "conflicting environment variable is shadowed by corresponding command-line flag " +
      "(either unset environment variable or disable flag))";
    super(message);
    this.variable = variable;
    const fields = { "environment-variable": variable };
    this.notices = [...before, { level: "fatal", caller, message, fields }];
  }
}

const flagNames = (): string[] => [...entries.map(([, option]) => option.flag), ...ignoredFlags].sort();

const shown = (field: FieldName | undefined, text: string): string =>
  field && options[field].secret ? "..." : text;

function unknownVariables(env: Environment, known: ReadonlySet<string>): Notice[] {
  return Object.keys(env)
    .filter((variable) => variable.startsWith(prefix) && !known.has(variable))
    .map((variable) => {
      const advice = adviceFor(variable.slice(prefix.length).toLowerCase().replaceAll("_", "-"));
      const fields = {
        "environment-variable": `${variable}=${env[variable] ?? ""}`,
        ...(advice === undefined ? {} : { advice }),
      };
      return { level: "warn", caller, message: "unrecognized environment variable", fields };
    });
}

/** Variables of settings that are there and not empty: those that a configuration file makes be ignored. */
export function variablesInUse(env: Environment): string[] {
  return flagNames()
    .map(variableOf)
    .filter((variable) => env[variable]);
}

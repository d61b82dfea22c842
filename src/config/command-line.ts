/** The command line as settings. */
import { nearMiss } from "../lib/near-miss.ts";
import { entries, type FieldName, fieldOfFlag, options } from "./config.ts";
import { type GoFlag, readGoFlags, type UsageError } from "./go-flags.ts";
import type { Kind } from "./option.ts";
import { type Plain, parseValue } from "./parse-value.ts";
import { adviceFor, ignoredFlags } from "./removed-flags.ts";

export interface CommandLine {
  readonly values: ReadonlyMap<FieldName, Plain>;
  /** Names of the flags that were there, also those that are no settings. */
  readonly given: ReadonlySet<string>;
  readonly configFile: string;
  readonly version: boolean;
  readonly help: boolean;
  /** What is left behind the flags. */
  readonly rest: readonly string[];
}

const fileKind: Kind = { type: "text" };
const switchKind: Kind = { type: "bool" };

/** Throws a `UsageError`; `adviceOn` may have something to add to it. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const values = new Map<FieldName, Plain>();
  const given = new Set<string>();
  const own = { "config-file": "", version: false };
  const find = (name: string): GoFlag | undefined => {
    const field = fieldOfFlag(name);
    if (field) return flag(name, options[field].kind, (value) => put(values, field, value));
    if (name === "config-file") return flag(name, fileKind, (value) => (own[name] = value as string));
    if (name === "version") return flag(name, switchKind, (value) => (own[name] = value as boolean));
    if (ignoredFlags.includes(name)) return { name, isBool: true, set: () => given.add(name) };
    return undefined;
  };
  const flag = (name: string, kind: Kind, keep: (value: Plain) => void): GoFlag => ({
    name,
    isBool: kind.type === "bool",
    set(text) {
      const value = parseValue(kind, text);
      given.add(name);
      if (value !== undefined) keep(value);
    },
  });
  const { rest, help } = readGoFlags(args, find);
  return { values, given, configFile: own["config-file"], version: own.version, help, rest };
}

/** The last one counts, but feature gates add up. */
export function put(values: Map<FieldName, Plain>, field: FieldName, value: Plain): void {
  const before = values.get(field);
  const addsUp = options[field].kind.type === "gates" && typeof before === "string";
  values.set(field, addsUp ? `${before},${value}` : value);
}

/** What to say beside Go's text, if there is something to say. */
export function adviceOn(error: UsageError, args: readonly string[]): string | undefined {
  if (error.flag === undefined) return undefined;
  if (error.unknown) {
    const advice = adviceFor(error.flag);
    if (advice) return `--${error.flag} is not in etcd 3.7: ${advice}`;
    const near = nearMiss(error.flag, [
      ...entries.map(([, option]) => option.flag),
      "config-file",
      "version",
    ]);
    return near && `did you mean --${near}?`;
  }
  if (error.flag === "initial-cluster-state" && args.some((arg) => /(^|=)standby$/.test(arg))) return standby;
  return undefined;
}

/** "standby" was a state of etcd 0.4; what people want with it now is a learner. */
export const standby =
  "a member that follows the log without a vote is a learner: add it with 'etcdctl member add --learner' " +
  "and start it with --initial-cluster-state=existing";

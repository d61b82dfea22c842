/**
 * The command line as Go's `flag` package reads it, because scripts, unit files and charts are written for that:
 * `-name v`, `--name v`, `--name=v`; a boolean takes a value only with `=`; `--`, or the first word that is no flag,
 * ends the flags. (`node:util`'s parseArgs cannot do it: to it, `-name` is five flags of one letter.)
 *
 * This file knows nothing of etcd's flags; the caller says which there are.
 */
import { goQuote } from "../lib/go-quote.ts";

export interface GoFlag {
  readonly name: string;
  /** Has a value only with "=". */
  readonly isBool: boolean;
  /** Throws an `Error` to refuse the value. */
  readonly set: (value: string) => void;
}

export interface GoFlags {
  /** What stands behind the flags. */
  readonly rest: readonly string[];
  /** `-h`, `-help` or `--help` was there; what stands behind it was not read. */
  readonly help: boolean;
}

/** The command line cannot be read. `message` is Go's text; etcd ends with status 2. */
export class UsageError extends Error {
  /** The flag that is meant, without its dashes, if one is. */
  readonly flag: string | undefined;
  /** There is no such flag. */
  readonly unknown: boolean;

  constructor(message: string, flag?: string, unknown = false) {
    super(message);
    this.name = "UsageError";
    this.flag = flag;
    this.unknown = unknown;
  }
}

/** Reads `args` from left to right and calls `set` for each flag. Throws a `UsageError` at the first fault. */
export function readGoFlags(args: readonly string[], find: (name: string) => GoFlag | undefined): GoFlags {
  let at = 0;
  while (at < args.length) {
    const word = args[at] as string;
    if (!word.startsWith("-") || word === "-") break;
    at++;
    if (word === "--") break;
    const name = nameOf(word);
    const equals = word.indexOf("=");
    const flag = find(name);
    if (!flag) {
      if (name === "help" || name === "h") return { rest: [], help: true };
      throw new UsageError(`flag provided but not defined: -${name}`, name, true);
    }
    if (flag.isBool) {
      setBool(flag, equals < 0 ? undefined : word.slice(equals + 1));
      continue;
    }
    if (equals < 0 && at >= args.length) throw new UsageError(`flag needs an argument: -${name}`, name);
    const value = equals < 0 ? (args[at++] as string) : word.slice(equals + 1);
    try {
      flag.set(value);
    } catch (cause) {
      throw new UsageError(`invalid value ${goQuote(value)} for flag -${name}: ${reason(cause)}`, name);
    }
  }
  return { rest: args.slice(at), help: false };
}

/** `-name`, `--name`, `-name=value` or `--name=value` without dashes and value. */
function nameOf(word: string): string {
  const name = word.slice(word.startsWith("--") ? 2 : 1);
  if (name === "" || name.startsWith("-") || name.startsWith("=")) {
    throw new UsageError(`bad flag syntax: ${word}`);
  }
  const equals = name.indexOf("=");
  return equals < 0 ? name : name.slice(0, equals);
}

function setBool(flag: GoFlag, value: string | undefined): void {
  try {
    flag.set(value ?? "true");
  } catch (cause) {
    // Go words it differently when there is no value; a boolean never refuses "true", but another kind may.
    if (value === undefined)
      throw new UsageError(`invalid boolean flag ${flag.name}: ${reason(cause)}`, flag.name);
    throw new UsageError(
      `invalid boolean value ${goQuote(value)} for -${flag.name}: ${reason(cause)}`,
      flag.name,
    );
  }
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

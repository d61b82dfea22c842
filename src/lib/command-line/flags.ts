/**
 * The flags of a command in the manner of Go's pflag, which etcdctl and etcdutl use: `--name=value`, `--name value`,
 * `-n value`, `-nvalue`, several letters in one word, flags and arguments mixed, `--` ends the flags. What is refused is
 * refused in pflag's words.
 */
import { formatGoDuration, parseGoDuration } from "../go-duration.ts";
import { goInt64, goUint64, parseGoBool, parseGoInteger } from "../go-number.ts";
import { goQuote } from "../go-quote.ts";

interface FlagBase {
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  readonly usage: string;
  /** Usages leave it out. */
  readonly isHidden?: boolean;
  /** The command is refused without it. */
  readonly isRequired?: boolean;
  /** What a shell offers for its value. */
  readonly choices?: readonly string[];
}

export type Flag = FlagBase &
  (
    | { readonly kind: "string"; readonly default: string }
    | { readonly kind: "bool"; readonly default: boolean }
    | { readonly kind: "uint"; readonly default: bigint }
    | { readonly kind: "int"; readonly default: bigint }
    /** Separated by commas, in one word or in several. */
    | { readonly kind: "strings"; readonly default: readonly string[] }
    /** In milliseconds. */
    | { readonly kind: "duration"; readonly default: number }
  );

/** A refused command line. The message is what pflag says. */
export class FlagError extends Error {}

type FlagValue = string | boolean | bigint | number | readonly string[];

/** The values of flags: those that were given, and the defaults of the others. */
export class FlagValues {
  readonly #values = new Map<string, FlagValue>();
  readonly #given = new Set<string>();

  constructor(flags: readonly Flag[]) {
    for (const flag of flags) this.#values.set(flag.name, flag.default);
  }

  set(flag: Flag, text: string): void {
    const value = valueFrom(flag, text);
    const more = Array.isArray(value) && this.#given.has(flag.name) ? this.strings(flag.name) : undefined;
    this.#values.set(flag.name, more === undefined ? value : [...more, ...(value as string[])]);
    this.#given.add(flag.name);
  }

  /** It was on the command line (or set afterwards), even if with the value of its default. */
  isGiven(name: string): boolean {
    return this.#given.has(name);
  }

  /** As Go prints it with %v. */
  text(name: string): string {
    const value = this.#values.get(name);
    if (Array.isArray(value)) return `[${value.join(",")}]`;
    return typeof value === "number" ? formatGoDuration(value) : String(value);
  }

  string(name: string): string {
    return this.#get(name, "string");
  }

  bool(name: string): boolean {
    return this.#get(name, "boolean");
  }

  uint(name: string): bigint {
    return this.#get(name, "bigint");
  }

  int(name: string): bigint {
    return this.#get(name, "bigint");
  }

  strings(name: string): readonly string[] {
    return this.#get(name, "object");
  }

  durationMs(name: string): number {
    return this.#get(name, "number");
  }

  #get<T>(name: string, type: string): T {
    const value = this.#values.get(name);
    if (typeof value !== type) throw new Error(`the command has no flag --${name} of type ${type}`);
    return value as T;
  }
}

export interface ParsedWords {
  readonly values: FlagValues;
  /** What is neither a flag nor a flag's value. */
  readonly args: readonly string[];
}

/** Throws a FlagError. */
export function parseWords(words: readonly string[], flags: readonly Flag[]): ParsedWords {
  const values = new FlagValues(flags);
  const args: string[] = [];
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      args.push(...rest);
      break;
    }
    if (word.startsWith("--")) parseLong(word, rest, flags, values);
    else if (word.startsWith("-") && word.length > 1) parseShort(word, rest, flags, values);
    else args.push(word);
  }
  return { values, args };
}

function parseLong(word: string, rest: string[], flags: readonly Flag[], values: FlagValues): void {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  if (name === "" || name.startsWith("-") || name.startsWith("="))
    throw new FlagError(`bad flag syntax: ${word}`);
  const flag = flags.find((known) => known.name === name);
  if (flag === undefined) throw new FlagError(`unknown flag: --${name}`);
  values.set(
    flag,
    equals < 0 ? nextValue(flag, rest, `flag needs an argument: --${name}`) : word.slice(equals + 1),
  );
}

function parseShort(word: string, rest: string[], flags: readonly Flag[], values: FlagValues): void {
  let letters = word.slice(1);
  while (letters !== "") {
    const [letter = ""] = letters;
    const flag = flags.find((known) => known.short === letter);
    if (flag === undefined)
      throw new FlagError(`unknown shorthand flag: ${goQuoteRune(letter)} in -${letters}`);
    const after = letters.slice(letter.length);
    if (after.startsWith("=")) {
      values.set(flag, after.slice(1));
      return;
    }
    if (flag.kind === "bool") {
      values.set(flag, "true");
      letters = after;
      continue;
    }
    const missing = `flag needs an argument: ${goQuoteRune(letter)} in -${letters}`;
    values.set(flag, after === "" ? nextValue(flag, rest, missing) : after);
    return;
  }
}

/** A switch needs no value, and takes none from the next word. */
function nextValue(flag: Flag, rest: string[], missing: string): string {
  if (flag.kind === "bool") return "true";
  const value = rest.shift();
  if (value === undefined) throw new FlagError(missing);
  return value;
}

function goQuoteRune(letter: string): string {
  return `'${letter}'`;
}

function valueFrom(flag: Flag, text: string): FlagValue {
  switch (flag.kind) {
    case "string":
      return text;
    case "strings":
      return text === "" ? [] : text.split(",");
    case "bool":
      return (
        parseGoBool(text) ?? refuse(flag, text, `strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`)
      );
    case "int":
    case "uint": {
      const value = parseGoInteger(text, flag.kind === "int" ? goInt64 : goUint64);
      if (typeof value === "bigint") return value;
      const why = value === "syntax" ? "invalid syntax" : "value out of range";
      const parser = flag.kind === "int" ? "ParseInt" : "ParseUint";
      return refuse(flag, text, `strconv.${parser}: parsing ${goQuote(text)}: ${why}`);
    }
    case "duration":
      try {
        return parseGoDuration(text);
      } catch (error) {
        return refuse(flag, text, (error as Error).message);
      }
  }
}

function refuse(flag: Flag, text: string, why: string): never {
  const name = flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
  throw new FlagError(`invalid argument ${goQuote(text)} for ${goQuote(name)} flag: ${why}`);
}

/** The lines that describe flags in a command's usage, in order of their names. */
export function describeFlags(flags: readonly Flag[]): string {
  const lines = flags
    .filter(({ isHidden }) => !isHidden)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((flag) => {
      const short = flag.short === undefined ? "    " : `-${flag.short}, `;
      const type = flag.kind === "bool" ? "" : ` ${flag.kind}`;
      return { left: `  ${short}--${flag.name}${type}`, right: flag.usage + defaultOf(flag) };
    });
  const width = Math.max(...lines.map(({ left }) => left.length));
  return lines.map(({ left, right }) => `${left.padEnd(width)}   ${right}\n`).join("");
}

/** Nothing for a default that is empty, zero or false. */
function defaultOf(flag: Flag): string {
  if (flag.default === "" || flag.default === false || flag.default === 0n || flag.default === 0) return "";
  if (flag.kind === "duration") return ` (default ${formatGoDuration(flag.default)})`;
  if (flag.kind === "strings")
    return flag.default.length === 0 ? "" : ` (default [${flag.default.join(",")}])`;
  return ` (default ${flag.kind === "string" ? goQuote(flag.default) : flag.default})`;
}

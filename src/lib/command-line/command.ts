/**
 * A tree of commands in the manner of Go's cobra, which etcdctl and etcdutl use: the same usage texts, the same errors, and
 * names that may be cut short.
 */
import { goQuote } from "../go-quote.ts";
import { editDistance } from "../near-miss.ts";
import { describeFlags, type Flag, FlagError, type FlagValues, parseWords } from "./flags.ts";

/** Where a command writes. */
export interface CommandOutput {
  out(text: string): void;
  err(text: string): void;
}

export interface Command {
  /** The name, and what may follow it. */
  readonly use: string;
  readonly short: string;
  /** Instead of `short` in the command's own help. */
  readonly long?: string;
  /** Lines, indented. */
  readonly example?: string;
  /** The heading under which the command above lists it. */
  readonly group?: string;
  /** Not listed. */
  readonly isHidden?: boolean;
  /** What is wrong with the arguments, if anything: told with the usage. */
  readonly checkArgs?: (args: readonly string[], name: string) => string | undefined;
  readonly flags?: readonly Flag[];
  /** Flags that all commands below have too. */
  readonly persistentFlags?: readonly Flag[];
  readonly commands?: readonly Command[];
  /** Gives the status to end with. */
  readonly run?: (call: CommandCall) => Promise<number>;
}

/** How the programs differ. */
export interface Manners {
  /** Help begins with what the command does, and this ends it. */
  readonly helpEnd?: string;
  /** What is wrong with a command line is said once. */
  readonly isBrief?: boolean;
}

export interface CommandCall {
  readonly flags: FlagValues;
  readonly args: readonly string[];
  readonly output: CommandOutput;
  /** The whole command line. */
  readonly words: readonly string[];
  /** The flags that the commands above hand down. */
  readonly inherited: readonly Flag[];
}

const helpFlag = (name: string): Flag => ({
  name: "help",
  short: "h",
  kind: "bool",
  default: false,
  usage: `help for ${name}`,
});

/** A program's name and its commands, from the root to the one that was meant. */
type Path = readonly [Command, ...Command[]];

/** Finds the command that `words` name and runs it. Gives the status to end with: 1 for a refused command line. */
export async function runCommand(
  root: Command,
  words: readonly string[],
  output: CommandOutput,
  manners: Manners = {},
): Promise<number> {
  const { path, rest } = find(root, words);
  const command = path.at(-1)!;
  const known = [...flagsOf(path), helpFlag(nameOf(command))];
  const asksForItself = rest.includes("-h") || rest.includes("--help");
  if (path.length === 2 && nameOf(command) === "help" && !asksForItself) {
    return showHelp(root, positional(rest, known), output, manners);
  }
  if (path.length === 1) {
    const [first] = positional(rest, known);
    if (first !== undefined) return refuseUnknown(root, first, output, manners);
  }
  let parsed: ReturnType<typeof parseWords>;
  try {
    parsed = parseWords(rest, known);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    return refuse(error.message, path, output, manners);
  }
  const { values, args } = parsed;
  if (values.bool("help") || command.run === undefined) {
    output.out(manners.helpEnd === undefined ? usageOf(path) : helpText(path, manners.helpEnd));
    return 0;
  }
  const problem = command.checkArgs?.(args, path.map(nameOf).join(" "));
  if (problem !== undefined) return refuse(problem, path, output, manners);
  const missing = known.filter(({ isRequired, name }) => isRequired && !values.isGiven(name));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => goQuote(name)).join(", ");
    return refuse(`required flag(s) ${names} not set`, path, output, manners);
  }
  return command.run({ flags: values, args, output, words, inherited: inheritedFlags(path) });
}

/** The command `help`, with the words of the command it is asked about. */
function showHelp(
  root: Command,
  words: readonly string[],
  output: CommandOutput,
  { helpEnd }: Manners,
): number {
  const { path, rest } = find(root, words);
  if (path.length === 1 && rest.length > 0 && helpEnd !== undefined) {
    const topics = rest.map((word) => ["`", word, "`"].join("")).join(" ");
    output.err(`Unknown help topic [${topics}]
${usageOf(path)}`);
    return 0;
  }
  output.out(helpEnd === undefined ? usageOf(path) : helpText(path, helpEnd));
  return 0;
}

function helpText(path: Path, end: string): string {
  const { long, short } = path.at(-1)!;
  return `${(long ?? short).replace(/\s+$/, "")}\n\n${usageOf(path)}${end}`;
}

function refuse(message: string, path: Path, output: CommandOutput, { isBrief = false }: Manners): number {
  const again = isBrief ? "" : `Error: ${message}\n`;
  output.err(`Error: ${message}\n${usageOf(path)}\n${again}`);
  return 1;
}

/** The words that are neither flags nor values of flags. */
function positional(words: readonly string[], flags: readonly Flag[]): string[] {
  const found: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "--") return found;
    if (word.startsWith("-") && word.length > 1) {
      if (takesNext(word, flags)) i++;
    } else found.push(word);
  }
  return found;
}

function refuseUnknown(
  root: Command,
  word: string,
  output: CommandOutput,
  { isBrief = false }: Manners,
): number {
  const name = nameOf(root);
  const near = nearCommands(word, root);
  const advice = near.length === 0 ? "" : `\n\nDid you mean this?\n${near.map((n) => `\t${n}\n`).join("")}`;
  const message = `unknown command ${goQuote(word)} for ${goQuote(name)}${advice}`;
  output.err(`Error: ${message}\nRun '${name} --help' for usage.\n${isBrief ? "" : `Error: ${message}\n`}`);
  return 1;
}

/** Those two slips of the hand away, and those that begin so. */
function nearCommands(word: string, root: Command): string[] {
  return (root.commands ?? [])
    .filter(({ isHidden }) => !isHidden)
    .map(nameOf)
    .filter((name) => name.startsWith(word.toLowerCase()) || editDistance(word.toLowerCase(), name) <= 2);
}

/** Follows the words that are names of commands, past flags and their values. */
function find(root: Command, words: readonly string[]): { path: Path; rest: string[] } {
  let path: Path = [root];
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "--") return { path, rest: [...rest, ...words.slice(i)] };
    if (word.startsWith("-") && word.length > 1) {
      rest.push(word);
      if (takesNext(word, flagsOf(path)) && i + 1 < words.length) rest.push(words[++i]!);
      continue;
    }
    const next = childOf(path.at(-1)!, word);
    if (next === undefined) return { path, rest: [...rest, ...words.slice(i)] };
    path = [...path, next];
  }
  return { path, rest };
}

/** Whether the word after a flag is the flag's value. So it is of a flag that only a command further on knows. */
function takesNext(word: string, flags: readonly Flag[]): boolean {
  if (word.includes("=") || word === "-h" || word === "--help") return false;
  const isLong = word.startsWith("--");
  if (!isLong && word.length > 2) return false;
  const flag = flags.find(({ name, short }) =>
    isLong ? name === word.slice(2) : short !== undefined && word === `-${short}`,
  );
  return flag === undefined || flag.kind !== "bool";
}

/** By its name, or by the beginning of it if no other begins so. */
function childOf(command: Command, word: string): Command | undefined {
  const commands = command.commands ?? [];
  const named = commands.find((child) => nameOf(child) === word);
  if (named !== undefined) return named;
  const begun = commands.filter((child) => !child.isHidden && nameOf(child).startsWith(word));
  return begun.length === 1 ? begun[0] : undefined;
}

export function nameOf(command: Command): string {
  return command.use.split(" ", 1)[0]!;
}

/** The flags that a command takes: its own, and those that the ones above hand down. */
function flagsOf(path: Path): Flag[] {
  return [...ownFlags(path), ...inheritedFlags(path)];
}

function ownFlags(path: Path): readonly Flag[] {
  const { flags = [], persistentFlags = [] } = path.at(-1)!;
  return [...flags, ...persistentFlags];
}

function inheritedFlags(path: Path): readonly Flag[] {
  return path.slice(0, -1).flatMap(({ persistentFlags = [] }) => persistentFlags);
}

export function usageOf(path: Path): string {
  const command = path.at(-1)!;
  const name = path.map(nameOf).join(" ");
  const lines: string[] = ["Usage:\n"];
  if (command.run !== undefined) {
    const tail = command.use.slice(nameOf(command).length);
    const mark = tail.includes("[flags]") || command.checkArgs !== undefined ? "" : " [flags]";
    lines.push(`  ${name}${tail}${mark}\n`);
  }
  const listed = (command.commands ?? []).filter(({ isHidden }) => !isHidden);
  if (listed.length > 0) lines.push(`  ${name} [command]\n`);
  if (command.example !== undefined) lines.push(`\nExamples:\n${command.example}\n`);
  if (listed.length > 0) lines.push(listOf(listed));
  const own = [...ownFlags(path), ...(path.length === 1 ? [] : [helpFlag(nameOf(command))])];
  const described = describeFlags(path.length === 1 ? rootFlags(path) : own);
  if (described !== "") lines.push(`\nFlags:\n${described}`);
  const inherited = describeFlags(inheritedFlags(path));
  if (inherited !== "") lines.push(`\nGlobal Flags:\n${inherited}`);
  if (listed.length > 0) {
    lines.push(`\nUse "${name} [command] --help" for more information about a command.\n`);
  }
  return lines.join("");
}

/** A program whose flags are all hidden hides the one for help too. */
function rootFlags(path: Path): readonly Flag[] {
  const own = ownFlags(path);
  return own.every(({ isHidden }) => isHidden) ? [] : [...own, helpFlag(nameOf(path[0]))];
}

function listOf(commands: readonly Command[]): string {
  const width = Math.max(11, ...commands.map((child) => nameOf(child).length));
  const lineOf = (child: Command): string => `  ${nameOf(child).padEnd(width)} ${child.short}\n`;
  const groups = new Map<string, Command[]>();
  for (const child of commands) {
    const group = child.group ?? "Available Commands:";
    groups.set(group, [...(groups.get(group) ?? []), child]);
  }
  return [...groups].map(([title, children]) => `\n${title}\n${children.map(lineOf).join("")}`).join("");
}

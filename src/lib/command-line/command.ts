/**
 * A tree of commands in the manner of Go's cobra, which etcdctl and etcdutl use: the same usage texts, the same errors, and
 * names that may be cut short.
 */
import { goQuote } from "../go-quote.ts";
import { nearMiss } from "../near-miss.ts";
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
  readonly flags?: readonly Flag[];
  /** Flags that all commands below have too. */
  readonly persistentFlags?: readonly Flag[];
  readonly commands?: readonly Command[];
  /** Gives the status to end with. */
  readonly run?: (call: CommandCall) => Promise<number>;
}

export interface CommandCall {
  readonly flags: FlagValues;
  readonly args: readonly string[];
  readonly output: CommandOutput;
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
): Promise<number> {
  const isHelp = words[0] === "help" && (root.commands ?? []).some((command) => nameOf(command) === "help");
  const { path, rest } = find(root, isHelp ? words.slice(1) : words);
  if (isHelp) {
    output.out(usageOf(path));
    return 0;
  }
  const command = path.at(-1)!;
  let parsed: ReturnType<typeof parseWords>;
  try {
    parsed = parseWords(rest, [...flagsOf(path), helpFlag(nameOf(command))]);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    output.err(`Error: ${error.message}\n${usageOf(path)}\nError: ${error.message}\n`);
    return 1;
  }
  const { values, args } = parsed;
  if (path.length === 1 && args.length > 0) return refuseUnknown(root, args[0]!, output);
  if (values.bool("help") || command.run === undefined) {
    output.out(usageOf(path));
    return 0;
  }
  return command.run({ flags: values, args, output });
}

function refuseUnknown(root: Command, word: string, output: CommandOutput): number {
  const name = nameOf(root);
  const near = nearMiss(word, (root.commands ?? []).map(nameOf));
  const advice = near === undefined ? "" : `\n\nDid you mean this?\n\t${near}\n`;
  const message = `unknown command ${goQuote(word)} for ${goQuote(name)}${advice}`;
  output.err(`Error: ${message}\nRun '${name} --help' for usage.\nError: ${message}\n`);
  return 1;
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

/** Whether the word after a flag is the flag's value. */
function takesNext(word: string, flags: readonly Flag[]): boolean {
  if (word.includes("=")) return false;
  const flag = word.startsWith("--")
    ? flags.find(({ name }) => name === word.slice(2))
    : flags.find(({ short }) => short !== undefined && word === `-${short}`);
  return flag !== undefined && flag.kind !== "bool";
}

/** By its name, or by the beginning of it if no other begins so. */
function childOf(command: Command, word: string): Command | undefined {
  const commands = command.commands ?? [];
  const named = commands.find((child) => nameOf(child) === word);
  if (named !== undefined) return named;
  const begun = commands.filter((child) => nameOf(child).startsWith(word));
  return begun.length === 1 ? begun[0] : undefined;
}

function nameOf(command: Command): string {
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
  const { commands = [] } = command;
  const name = path.map(nameOf).join(" ");
  const lines: string[] = ["Usage:\n"];
  if (command.run !== undefined) {
    const tail = command.use.slice(nameOf(command).length);
    lines.push(`  ${name}${tail}${tail.includes("[flags]") ? "" : " [flags]"}\n`);
  }
  if (commands.length > 0) {
    lines.push(`  ${name} [command]\n\nAvailable Commands:\n`);
    const width = Math.max(11, ...commands.map((child) => nameOf(child).length));
    for (const child of commands) lines.push(`  ${nameOf(child).padEnd(width)} ${child.short}\n`);
  }
  lines.push(`\nFlags:\n${describeFlags([...ownFlags(path), helpFlag(nameOf(command))])}`);
  const inherited = inheritedFlags(path);
  if (inherited.length > 0) lines.push(`\nGlobal Flags:\n${describeFlags(inherited)}`);
  if (commands.length > 0) {
    lines.push(`\nUse "${name} [command] --help" for more information about a command.\n`);
  }
  return lines.join("");
}

/**
 * What may come next on a command line: the scripts that `completion` makes ask for it by `__complete`, with the words
 * so far, the last of them perhaps empty. A candidate a line, with what it means behind a tab; then `:` and a number:
 * 4 for "no file names either".
 */
import { type Command, nameOf } from "./command.ts";
import type { Flag } from "./flags.ts";

export const shells = ["bash", "zsh", "fish", "powershell"] as const;

const noFiles = 4;
const files = 0;

export function complete(root: Command, words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  const { command, flags, awaiting } = follow(root, words.slice(0, -1));
  const equals = last.indexOf("=");
  const flag =
    awaiting ?? (last.startsWith("--") && equals > 0 ? named(flags, last.slice(2, equals)) : undefined);
  if (flag !== undefined) {
    const begin = awaiting === undefined ? last.slice(equals + 1) : last;
    return answer(
      (flag.choices ?? []).filter((choice) => choice.startsWith(begin)),
      files,
    );
  }
  if (last.startsWith("-")) {
    const fitting = flags.filter(({ name }) => `--${name}`.startsWith(last));
    return answer(
      fitting.map(({ name, usage }) => `--${name}\t${usage}`),
      noFiles,
    );
  }
  const children = (command.commands ?? []).filter(
    (child) => nameOf(child).startsWith(last) && !child.isHidden,
  );
  if (children.length > 0)
    return answer(
      children.map((child) => `${nameOf(child)}\t${child.short}`),
      noFiles,
    );
  if (nameOf(command) === "completion")
    return answer(
      shells.filter((shell) => shell.startsWith(last)),
      noFiles,
    );
  return answer([], files);
}

const answer = (lines: readonly string[], directive: number): string =>
  [...lines, `:${directive}`, ""].join("\n");

const named = (flags: readonly Flag[], name: string): Flag | undefined =>
  flags.find((flag) => flag.name === name);

interface Place {
  readonly command: Command;
  readonly flags: readonly Flag[];
  /** The flag whose value comes next. */
  readonly awaiting: Flag | undefined;
}

/** Goes down the tree along the words. */
function follow(root: Command, words: readonly string[]): Place {
  let command = root;
  let flags: readonly Flag[] = flagsOf(root);
  let awaiting: Flag | undefined;
  for (const word of words) {
    if (awaiting !== undefined) {
      awaiting = undefined;
      continue;
    }
    if (word.startsWith("-")) {
      const flag = word.startsWith("--")
        ? named(flags, word.slice(2))
        : flags.find(({ short }) => short !== undefined && word === `-${short}`);
      if (flag !== undefined && flag.kind !== "bool") awaiting = flag;
      continue;
    }
    const child = command.commands?.find((one) => nameOf(one) === word);
    if (child === undefined) continue;
    command = child;
    flags = [
      ...flagsOf(child),
      ...flags.filter(({ name }) => root.persistentFlags?.some((one) => one.name === name)),
    ];
  }
  return { command, flags, awaiting };
}

const flagsOf = ({ flags = [], persistentFlags = [] }: Command): readonly Flag[] => [
  ...flags,
  ...persistentFlags,
];

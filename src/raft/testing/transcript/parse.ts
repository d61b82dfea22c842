/**
 * Transcripts: commands, each followed by a line of dashes and what it printed. Lines that begin with # tell the
 * story. A command's output ends with an empty line.
 */

export interface Step {
  /** Comments and empty lines before the command, as they stand. */
  readonly preamble: readonly string[];
  readonly command: string;
  readonly expected: readonly string[];
  /** The command's line in the file, from 1. */
  readonly line: number;
}

const separator = "----";

export function parseTranscript(text: string): Step[] {
  const lines = text.split("\n");
  const steps: Step[] = [];
  let preamble: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.trim() === "" || line.startsWith("#")) {
      preamble.push(line);
      continue;
    }
    const expected: string[] = [];
    const start = at + 1;
    if (lines[at + 1] === separator) {
      at += 2;
      while (at < lines.length && lines[at] !== "") expected.push(lines[at++]!);
    }
    steps.push({ preamble, command: line.trim(), expected, line: start });
    preamble = [];
  }
  return steps;
}

/** The transcript again, with what each command printed now. */
export function printTranscript(steps: readonly Step[], outputs: readonly (readonly string[])[]): string {
  const lines: string[] = [];
  for (const [i, step] of steps.entries()) {
    const preamble = step.preamble.join("\n").trim();
    if (preamble !== "") lines.push(preamble, "");
    lines.push(step.command, separator, ...outputs[i]!, "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

/** `propose 1 x keep=3`: the command's words and its named options. */
export interface Arguments {
  readonly name: string;
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

export function parseCommand(command: string): Arguments {
  const [name, ...rest] = command.split(/\s+/);
  const words: string[] = [];
  const options = new Map<string, string>();
  for (const part of rest) {
    const at = part.indexOf("=");
    if (at > 0) options.set(part.slice(0, at), part.slice(at + 1));
    else words.push(part);
  }
  return { name: name!, words, options };
}

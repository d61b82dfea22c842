/**
 * What is written out of the tables: the tables of docs/configuration.md, and etcd-config.example.yml. A test compares
 * both with these functions, and writes them anew when WRITE_TABLES=1.
 */
import { themes } from "./config.ts";
import { type Gate, gateEntries } from "./feature-gates.ts";
import { typeName } from "./kind-words.ts";
import type { Option, Status } from "./option.ts";
import { ignoredFlags, ignoredKeys, removedFlags } from "./removed-flags.ts";

type Table = Readonly<Record<string, Option>>;

/** Markdown. */
export function settingsTables(): string {
  const parts = Object.entries<Table>(themes).map(([theme, table]) => {
    const rows = Object.values(table).map(settingRow);
    return `### ${theme}\n\n${markdownTable(["flag", "YAML key", "type", "default", "what it is", "state"], rows)}`;
  });
  const gates = gateEntries.map(([name, gate]) => [
    `\`${name}\``,
    gate.stage.toLowerCase(),
    String(gate.default),
    gate.help,
    gateState(gate),
  ]);
  parts.push(
    `### Feature gates\n\n${markdownTable(["gate", "stage", "default", "what it is", "state"], gates)}`,
  );
  const removed = Object.entries(removedFlags).map(([flag, advice]) => [`\`--${flag}\``, advice]);
  parts.push(`### Flags of older etcds\n\n${markdownTable(["flag", "what to do"], removed)}`);
  const keys = Object.entries(ignoredKeys).map(([key, why]) => [`\`${key}\``, why]);
  parts.push(`### Keys of etcd's files that do nothing\n\n${markdownTable(["key", "why"], keys)}`);
  const silent = ignoredFlags.map((flag) => `\`--${flag}\``).join(", ");
  parts.push(`Flags of the first etcds that are taken and do nothing, as in etcd: ${silent}.\n`);
  return parts.join("\n");
}

function settingRow(option: Option): string[] {
  const key = option.yaml === undefined ? "none" : `\`${option.yaml}\`${option.yamlIsOurs ? " (ours)" : ""}`;
  const shown = option.defaultText === "" ? "empty" : `\`${option.defaultText}\``;
  const help = option.ours ? `${option.help} (Ours.)` : option.help;
  return [`\`--${option.flag}\``, key, typeName(option.kind), shown, help, stateOf(option.status)];
}

function stateOf(status: Status): string {
  switch (status.is) {
    case "works":
      return "works";
    case "accepted":
      return `no effect: ${status.why}`;
    case "deprecated":
      return "deprecated, no effect";
  }
}

function gateState(gate: Gate): string {
  return gate.accepted === undefined ? "works" : `no effect: ${gate.accepted}`;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

/** The example file: every key with its default. Loading it is the same as having no file. */
export function exampleFile(): string {
  let file = exampleHead;
  for (const [theme, table] of Object.entries<Table>(themes)) {
    const written = Object.values(table).filter((option) => option.yaml !== undefined);
    file += `\n# ${"-".repeat(8)} ${theme} ${"-".repeat(8)}\n${sectionText(written, "", 0)}`;
  }
  return file;
}

const exampleHead = `# Settings of etclite, with their defaults: a file like this, given with --config-file, stands for all flags and
# ETCD_* variables, which are then ignored. The keys are etcd's, except where it says "etclite only". A key has the name
# of its flag, except where another flag is named.
#
# Durations are texts such as '10s' or '1h30m', or whole numbers of nanoseconds (all that etcd itself takes). Lists may
# also be texts with commas. A key without a value leaves the default. A key that does not exist stops the start.
#
# docs/configuration.md has the whole story.
`;

/** The options of one section: those with keys of their own first, then the sections inside. */
function sectionText(all: readonly Option[], section: string, depth: number): string {
  const indent = "  ".repeat(depth);
  const restOf = (option: Option): string => (option.yaml as string).slice(section.length);
  let text = "";
  for (const option of all.filter((one) => !restOf(one).includes("."))) {
    text += `\n${comment(option, indent)}${indent}${restOf(option)}: ${yamlDefault(option)}\n`;
  }
  const inside = new Set(
    all
      .map(restOf)
      .filter((key) => key.includes("."))
      .map((key) => key.split(".")[0] as string),
  );
  for (const name of inside) {
    const inner = all.filter((option) => restOf(option).startsWith(`${name}.`));
    text += `\n${indent}${name}:${sectionText(inner, `${section}${name}.`, depth + 1)}`;
  }
  return text;
}

function comment(option: Option, indent: string): string {
  const state = option.status.is === "works" ? "" : ` [${stateOf(option.status)}]`;
  const ours = option.ours || option.yamlIsOurs ? " (etclite only)" : "";
  const other = option.yaml === option.flag ? "" : ` Flag: --${option.flag}.`;
  const words = `${option.help}${ours}${state}${other}`.split(" ");
  let lines = "";
  let line = `${indent}#`;
  for (const word of words) {
    if (line.length + word.length + 1 > 116) {
      lines += `${line}\n`;
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return `${lines}${line}\n`;
}

function yamlDefault(option: Option): string {
  const { kind, default: value, defaultText } = option;
  if (kind.type === "bool" || kind.type === "integer")
    return option.zeroIsDefault ? defaultText : String(value);
  if (kind.type === "list" || (kind.type === "set" && option.flag !== "host-whitelist")) {
    return `[${(value as readonly string[]).map(quoted).join(", ")}]`;
  }
  return quoted(value === "" ? "" : defaultText);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

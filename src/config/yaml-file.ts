/** `--config-file`: a YAML (or JSON) file as settings. All that is wrong with it is said at once, with its place. */
import { nanosToMs, parseGoDuration } from "../lib/go-duration.ts";
import { nearMiss } from "../lib/near-miss.ts";
import { standby } from "./command-line.ts";
import {
  ConfigError,
  entries,
  type FieldName,
  fieldOfFlag,
  type Notice,
  options,
  type Places,
} from "./config.ts";
import { expectation } from "./kind-words.ts";
import type { Kind } from "./option.ts";
import { type Plain, toSafe } from "./parse-value.ts";
import { adviceFor, ignoredKeys } from "./removed-flags.ts";
import { finishValue } from "./schema.ts";
import { type Position, parseYaml, YamlError, type YamlNode, type YamlPair } from "./yaml-document.ts";
import { scalarValue } from "./yaml-scalar.ts";

export interface FromFile {
  /** Finished values. */
  readonly values: ReadonlyMap<FieldName, unknown>;
  /** Flags whose keys are there. */
  readonly given: readonly string[];
  readonly notices: readonly Notice[];
  readonly places: Places;
}

const caller = "config/yaml-file.ts";
const faultsMax = 10;

/** Fields by key, and the names of sections, both with dots. */
const fields = new Map<string, FieldName>();
const sections = new Set<string>();
for (const [field, { yaml }] of entries) {
  if (yaml === undefined) continue;
  fields.set(yaml, field);
  for (let dot = yaml.indexOf("."); dot >= 0; dot = yaml.indexOf(".", dot + 1))
    sections.add(yaml.slice(0, dot));
}

/** Throws a `ConfigError` whose text says where: `name:line:column: ...`. */
export function readYamlSettings(text: string, name: string): FromFile {
  const reader = new SettingsReader(name);
  try {
    const { root, oddities } = parseYaml(text);
    for (const { at, message } of oddities) reader.remark(at, message);
    if (root) reader.root(root);
  } catch (cause) {
    if (!(cause instanceof YamlError)) throw cause;
    reader.fault(cause.at, cause.message);
  }
  return reader.result();
}

class SettingsReader {
  readonly #name: string;
  readonly #values = new Map<FieldName, unknown>();
  readonly #given: string[] = [];
  readonly #places: Partial<Record<FieldName, string>> = {};
  readonly #notices: Notice[] = [];
  readonly #faults: string[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  remark(at: Position, message: string): void {
    const fields = { at: this.#place(at) };
    this.#notices.push({ level: "warn", caller, message, fields });
  }

  fault(at: Position, message: string): void {
    this.#faults.push(`${this.#place(at)}: ${message}`);
  }

  result(): FromFile {
    if (this.#faults.length > 0) {
      const more = this.#faults.length - faultsMax;
      const shown = this.#faults.slice(0, faultsMax);
      throw new ConfigError([...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("; "));
    }
    return { values: this.#values, given: this.#given, notices: this.#notices, places: this.#places };
  }

  root(root: YamlNode): void {
    if (root.kind === "map") for (const pair of root.pairs) this.#pair(pair, "");
    else if (!isNothing(root)) this.fault(root.at, `expected keys with values, found ${found(root)}`);
  }

  #place(at: Position): string {
    return `${this.#name}:${at.line}:${at.column}`;
  }

  #pair(pair: YamlPair, section: string): void {
    const key = canonical(section === "" ? pair.key : `${section}.${pair.key}`);
    const field = fields.get(key);
    if (field) this.#setting(field, key, pair);
    else if (sections.has(key)) this.#section(key, pair);
    else if (Object.hasOwn(ignoredKeys, key)) {
      this.remark(pair.at, `${key} has no effect: ${ignoredKeys[key]}`);
    } else this.#unknown(key, pair);
  }

  #section(key: string, { value }: YamlPair): void {
    if (value.kind === "map") for (const pair of value.pairs) this.#pair(pair, key);
    else if (!isNothing(value)) {
      this.fault(value.at, `${key}: expected a section with keys of its own, found ${found(value)}`);
    }
  }

  #setting(field: FieldName, key: string, { value }: YamlPair): void {
    const { flag, kind } = options[field];
    this.#given.push(flag);
    this.#places[field] = `${this.#place(value.at)}: ${key}`;
    // A key without a value leaves the default, and so does an empty text where a text means nothing.
    if (isNothing(value) || (emptyIsDefault(kind) && isEmptyText(value))) return;
    try {
      this.#values.set(field, finishValue(kind, plainValue(kind, value)));
    } catch (cause) {
      const why =
        cause instanceof Mismatch ? `${expectation(kind)}, found ${found(cause.node)}` : reason(cause);
      this.fault(value.at, `${key}: ${why}${hintFor(field, value)}`);
    }
  }

  #unknown(key: string, { at, value }: YamlPair): void {
    const advice = adviceFor(key);
    if (advice) {
      if (!isNothing(value)) this.remark(at, `"${key}" is not in etcd 3.7 and has no effect: ${advice}`);
      return;
    }
    const flag = fieldOfFlag(key);
    const meant = (flag && options[flag].yaml) ?? nearMiss(key, [...fields.keys(), ...sections]);
    this.fault(at, `unknown key "${key}"${meant ? `; did you mean "${meant}"?` : ""}`);
  }
}

/** Go's JSON takes keys in any case. */
function canonical(key: string): string {
  if (fields.has(key) || sections.has(key)) return key;
  const lower = key.toLowerCase();
  return fields.has(lower) || sections.has(lower) ? lower : key;
}

/** A value is of another kind than the setting. */
class Mismatch extends Error {
  readonly node: YamlNode;

  constructor(node: YamlNode) {
    super();
    this.node = node;
  }
}

function plainValue(kind: Kind, node: YamlNode): Plain {
  if (node.kind === "list" && takesList(kind)) return node.items.map(textOf);
  if (node.kind !== "scalar") throw new Mismatch(node);
  const scalar = scalarValue(node);
  switch (kind.type) {
    case "bool":
      if (scalar.type === "bool") return scalar.value;
      break;
    case "integer":
      if (scalar.type === "integer" && isExact(scalar.value)) return toSafe(scalar.value);
      break;
    case "duration":
      if (scalar.type === "integer") return nanosToMs(scalar.value);
      if (scalar.type === "text") return parseGoDuration(scalar.value);
      break;
    case "retention":
      if (scalar.type === "integer" && scalar.value >= 0n) return String(scalar.value);
      if (scalar.type === "text") return scalar.value;
      break;
    default:
      if (scalar.type === "text") return scalar.value;
  }
  throw new Mismatch(node);
}

const takesList = ({ type }: Kind): boolean =>
  type === "list" || type === "set" || type === "urls" || type === "origins" || type === "choices";

function textOf(node: YamlNode): string {
  const scalar = node.kind === "scalar" ? scalarValue(node) : undefined;
  if (scalar?.type !== "text") throw new Mismatch(node);
  return scalar.value;
}

/** The schema checks the limits; it must not be given a number that was rounded into them. */
const isExact = (value: bigint): boolean => value < 2n ** 64n && value >= -(2n ** 63n);

const isNothing = (node: YamlNode): boolean => node.kind === "scalar" && scalarValue(node).type === "nothing";
const isEmptyText = (node: YamlNode): boolean => node.kind === "scalar" && node.text === "";

/** Kinds for which etcd's file takes "" as "not set". */
const emptyIsDefault = ({ type }: Kind): boolean =>
  type === "urls" || type === "origins" || type === "set" || type === "choice" || type === "gates";

function found(node: YamlNode): string {
  if (node.kind !== "scalar") return `a ${node.kind}`;
  const scalar = scalarValue(node);
  switch (scalar.type) {
    case "nothing":
      return "nothing";
    case "bool":
      return `the boolean ${node.text}`;
    case "integer":
    case "float":
      return `the number ${node.text}`;
    case "text":
      return `the text ${JSON.stringify(node.text)}`;
  }
}

function hintFor(field: FieldName, node: YamlNode): string {
  if (node.kind !== "scalar") return "";
  if (field === "initialClusterState" && node.text === "standby") return `; ${standby}`;
  const { type } = options[field].kind;
  const unquoted = type === "text" && node.plain && scalarValue(node).type !== "text";
  return unquoted ? `; put it in quotes: '${node.text}'` : "";
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/**
 * The only file that knows the `yaml` package. It gives a file's first document as a plain tree with positions, and
 * leaves open what an unquoted word means: etcd's answer (yaml-scalar.ts) is an older one than the package's.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseAllDocuments } from "yaml";

export interface Position {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

export interface YamlScalar {
  readonly kind: "scalar";
  readonly at: Position;
  readonly text: string;
  /** Neither quoted nor a block: the word may be a number, a boolean or nothing. */
  readonly plain: boolean;
  /** An explicit tag in full, such as "tag:yaml.org,2002:int". */
  readonly tag: string | undefined;
}

export interface YamlList {
  readonly kind: "list";
  readonly at: Position;
  readonly items: readonly YamlNode[];
}

export interface YamlMap {
  readonly kind: "map";
  readonly at: Position;
  /** Each key once: of two the last. */
  readonly pairs: readonly YamlPair[];
}

export interface YamlPair {
  readonly key: string;
  readonly at: Position;
  readonly value: YamlNode;
}

export type YamlNode = YamlScalar | YamlList | YamlMap;

export interface YamlDocument {
  /** Undefined: there is nothing in it. */
  readonly root: YamlNode | undefined;
  /** What is odd but no fault. */
  readonly oddities: readonly YamlFault[];
}

export interface YamlFault {
  readonly at: Position;
  readonly message: string;
}

export class YamlError extends Error {
  readonly at: Position;

  constructor(fault: YamlFault) {
    super(fault.message);
    this.name = "YamlError";
    this.at = fault.at;
  }
}

/** Far more than a configuration has; aliases of aliases would get there quickly. */
const nodesMax = 10_000;
const depthMax = 50;

/** Throws a `YamlError`. */
export function parseYaml(text: string): YamlDocument {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    schema: "failsafe",
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "error",
  });
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const documents = [...parsed];
  const first = documents[0];
  const error = first?.errors[0];
  if (error) throw new YamlError({ at: position(error.pos[0]), message: error.message });
  const oddities: YamlFault[] = [];
  const second = documents[1];
  if (second) {
    const at = position(second.range[0]);
    oddities.push({ at, message: "only the first document of the file counts" });
  }
  if (!first?.contents) return { root: undefined, oddities };
  const reader = new TreeReader(position, (alias) => alias.resolve(first), oddities);
  return { root: reader.node(first.contents), oddities };
}

type AliasNode = Extract<Node, { source: string; resolve: unknown }>;

class TreeReader {
  readonly #position: (offset: number) => Position;
  readonly #resolve: (alias: AliasNode) => Node | undefined;
  readonly #oddities: YamlFault[];
  #count = 0;
  #depth = 0;

  constructor(
    position: (offset: number) => Position,
    resolve: (alias: AliasNode) => Node | undefined,
    oddities: YamlFault[],
  ) {
    this.#position = position;
    this.#resolve = resolve;
    this.#oddities = oddities;
  }

  node(node: Node): YamlNode {
    const at = this.#at(node);
    if (++this.#count > nodesMax) throw new YamlError({ at, message: `more than ${nodesMax} values` });
    // An alias may lead into itself.
    if (++this.#depth > depthMax) throw new YamlError({ at, message: `values more than ${depthMax} deep` });
    const read = this.#read(node, at);
    this.#depth--;
    return read;
  }

  #read(node: Node, at: Position): YamlNode {
    if (isAlias(node)) {
      const target = this.#resolve(node as AliasNode);
      if (!target) throw new YamlError({ at, message: `there is no anchor "${node.source}"` });
      return { ...this.node(target), at };
    }
    if (isMap(node)) return { kind: "map", at, pairs: this.#pairs(node.items as Pair<Node, Node | null>[]) };
    if (isSeq(node)) {
      return { kind: "list", at, items: (node.items as Node[]).map((item) => this.node(item)) };
    }
    if (!isScalar(node)) throw new YamlError({ at, message: "neither a text, a list nor a map" });
    const plain = node.type === "PLAIN" || node.type === undefined;
    return { kind: "scalar", at, text: String(node.value ?? ""), plain, tag: node.tag };
  }

  #at(node: Node): Position {
    return this.#position(node.range?.[0] ?? 0);
  }

  /** Keys in order, with `<<` taken in: what it brings counts less than what is written here. */
  #pairs(items: readonly Pair<Node, Node | null>[]): YamlPair[] {
    const merged = new Map<string, YamlPair>();
    const own = new Map<string, YamlPair>();
    for (const { key: keyNode, value: valueNode } of items) {
      const key = this.node(keyNode);
      if (key.kind !== "scalar") throw new YamlError({ at: key.at, message: "a key has to be a text" });
      const value: YamlNode = valueNode
        ? this.node(valueNode)
        : { kind: "scalar", at: key.at, text: "", plain: true, tag: undefined };
      if (key.text === "<<" && key.plain) {
        for (const pair of mergedPairs(value)) if (!merged.has(pair.key)) merged.set(pair.key, pair);
        continue;
      }
      if (own.has(key.text)) {
        this.#oddities.push({ at: key.at, message: `"${key.text}" is there twice, and the last one counts` });
      }
      own.set(key.text, { key: key.text, at: key.at, value });
    }
    return [...new Map([...merged, ...own]).values()];
  }
}

function mergedPairs(value: YamlNode): readonly YamlPair[] {
  if (value.kind === "map") return value.pairs;
  if (value.kind === "list") return value.items.flatMap(mergedPairs);
  throw new YamlError({ at: value.at, message: 'expected a map, or a list of maps, behind "<<"' });
}

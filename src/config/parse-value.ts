/** A flag's or variable's text as a plain value: what a person would write in JSON. `schema.ts` checks and finishes it. */
import { parseEtcdUrl } from "../lib/etcd-url.ts";
import { parseGoDuration } from "../lib/go-duration.ts";
import {
  type GoIntegerRange,
  goInt64,
  goUint32,
  goUint64,
  parseGoBool,
  parseGoInteger,
} from "../lib/go-number.ts";
import { goQuote } from "../lib/go-quote.ts";
import { parseFeatureGates } from "./feature-gates.ts";
import type { GoInteger, Kind } from "./option.ts";

export type Plain = string | number | boolean | readonly string[];

export const goRanges: Readonly<Record<GoInteger, GoIntegerRange>> = {
  int: goInt64,
  int64: goInt64,
  uint: goUint64,
  uint64: goUint64,
  uint32: goUint32,
};

/**
 * `text` as a plain value; undefined leaves what was there before. Throws an `Error` with the text that Go's `flag`
 * package, or etcd's own flag types, give.
 */
export function parseValue(kind: Kind, text: string): Plain | undefined {
  switch (kind.type) {
    case "text":
    case "retention":
      return text;
    case "bool":
      return required(parseGoBool(text));
    case "integer":
      return parseInteger(kind.go, text);
    case "duration":
      return parseDuration(text);
    case "urls":
      return text === "" ? undefined : checkedUrls(text);
    case "origins":
      return text === "*" ? [text] : checkedUrls(text);
    case "list":
      return text === "" ? [] : text.split(",");
    case "set":
      return text.split(",");
    case "choice":
      if (!kind.of.includes(text)) throw new Error("invalid value");
      return text;
    case "choices":
      return text.split(",").map((word) => {
        if (!kind.of.includes(word)) throw new Error(`invalid value ${goQuote(word)}`);
        return word;
      });
    case "gates":
      parseFeatureGates(text);
      return text;
  }
}

function parseInteger(go: GoInteger, text: string): number {
  const value = parseGoInteger(text, goRanges[go]);
  if (typeof value === "bigint") return toSafe(value);
  if (go === "uint32") {
    // etcd's own flag type: it does not shorten what strconv says.
    const why = value === "syntax" ? "invalid syntax" : "value out of range";
    throw new Error(`strconv.ParseUint: parsing ${goQuote(text)}: ${why}`);
  }
  throw new Error(value === "syntax" ? "parse error" : "value out of range");
}

/** Beyond 2^53 nobody counts: such numbers mean "no limit". */
export function toSafe(value: bigint): number {
  const max = BigInt(Number.MAX_SAFE_INTEGER);
  if (value > max) return Number.MAX_SAFE_INTEGER;
  return value < -max ? -Number.MAX_SAFE_INTEGER : Number(value);
}

function parseDuration(text: string): number {
  try {
    return parseGoDuration(text);
  } catch {
    throw new Error("parse error");
  }
}

function checkedUrls(text: string): string[] {
  const pieces = text.split(",");
  for (const piece of pieces) parseEtcdUrl(piece);
  return pieces;
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("parse error");
  return value;
}

/** What the kinds of values are called: for errors, for --help and for docs/. */
import type { Kind } from "./option.ts";
import { goRanges, toSafe } from "./parse-value.ts";

/** "expected ..." with an example or the limits. */
export function expectation(kind: Kind): string {
  switch (kind.type) {
    case "text":
      return "expected a text";
    case "bool":
      return "expected true or false";
    case "integer": {
      const { min, max } = goRanges[kind.go];
      const least = min === 0n ? ", 0 or more" : "";
      return `expected a whole number${least}${toSafe(max) < Number.MAX_SAFE_INTEGER ? `, at most ${max}` : ""}`;
    }
    case "duration":
      return 'expected a duration, such as "5s" or "1h30m", or a whole number of nanoseconds';
    case "urls":
      return 'expected URLs separated by commas, such as "http://10.0.0.1:2379"';
    case "origins":
      return 'expected "*", or URLs separated by commas';
    case "list":
    case "set":
      return "expected a list of texts";
    case "choice":
      return `expected ${kind.of.map((word) => `"${word}"`).join(" or ")}`;
    case "choices":
      return `expected some of ${kind.of.map((word) => `"${word}"`).join(", ")}`;
    case "gates":
      return 'expected a text such as "LeaseCheckpoint=true,AllBeta=false"';
    case "retention":
      return 'expected a duration such as "1h", or a whole number';
  }
}

/** For the tables in docs/. */
export function typeName(kind: Kind): string {
  switch (kind.type) {
    case "text":
      return "text";
    case "bool":
      return "boolean";
    case "integer":
      return kind.go === "int" || kind.go === "int64"
        ? "integer"
        : `integer ≥ 0${kind.go === "uint32" ? ", 32 bits" : ""}`;
    case "duration":
      return "duration";
    case "urls":
      return "URLs";
    case "origins":
      return "`*` or URLs";
    case "list":
      return "list";
    case "set":
      return "set";
    case "choice":
    case "choices":
      return kind.of.map((word) => `\`${word}\``).join(", ");
    case "gates":
      return "gates";
    case "retention":
      return "duration or integer ≥ 0";
  }
}

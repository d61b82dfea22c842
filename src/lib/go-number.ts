/**
 * Numbers and booleans as Go's `strconv` reads them with base 0, which is how the `flag` package does: 0x1f, 0o17, 017,
 * 0b11, 1_000. Failures are Go's two: bad syntax, and a good number that does not fit.
 */

export type GoNumberFault = "syntax" | "range";

export interface GoIntegerRange {
  readonly min: bigint;
  readonly max: bigint;
}

export const goInt64: GoIntegerRange = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
export const goUint64: GoIntegerRange = { min: 0n, max: 2n ** 64n - 1n };
export const goUint32: GoIntegerRange = { min: 0n, max: 2n ** 32n - 1n };

const grammars: readonly (readonly [RegExp, string, number])[] = [
  [/^0[xX](?:_?[0-9a-fA-F])+$/, "0x", 2],
  [/^0[oO](?:_?[0-7])+$/, "0o", 2],
  [/^0[bB](?:_?[01])+$/, "0b", 2],
  [/^0(?:_?[0-7])+$/, "0o", 1],
  [/^(?:0|[1-9](?:_?[0-9])*)$/, "", 0],
];

/** `text` as an integer within `range`, or what is wrong with it. */
export function parseGoInteger(text: string, range: GoIntegerRange): bigint | GoNumberFault {
  const signed = range.min < 0n;
  const negative = signed && text.startsWith("-");
  const digits = signed && /^[-+]/.test(text) ? text.slice(1) : text;
  for (const [pattern, prefix, skipped] of grammars) {
    if (!pattern.test(digits)) continue;
    const size = BigInt(prefix + digits.slice(skipped).replaceAll("_", ""));
    const value = negative ? -size : size;
    return value < range.min || value > range.max ? "range" : value;
  }
  return "syntax";
}

/** Go's `strconv.ParseBool`; undefined for anything else. */
export function parseGoBool(text: string): boolean | undefined {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  return undefined;
}

/** Words of a command line as bytes and numbers. */
import { type GoIntegerRange, goInt64, goUint64 } from "../lib/go-number.ts";
import { goQuote } from "../lib/go-quote.ts";
import { badArguments } from "./exit.ts";

/** A byte that is no character, such as \xff in a line of `txn`, is U+DC00 plus itself in a word. */
const strayByte = 0xdc00;

export const fromStrayByte = (byte: number): string => String.fromCharCode(strayByte + byte);

export function bytesOf(word: string): Uint8Array {
  if (!/[\udc80-\udcff]/.test(word)) return Buffer.from(word);
  const pieces: Buffer[] = [];
  for (const character of word) {
    const code = character.codePointAt(0)!;
    const isStray = code >= strayByte + 0x80 && code <= strayByte + 0xff;
    pieces.push(isStray ? Buffer.of(code - strayByte) : Buffer.from(character));
  }
  return Buffer.concat(pieces);
}

/** Go's strconv.ParseInt or ParseUint with a given base. Throws an Error in its words. */
export function parseInteger(text: string, base: 10 | 16, range: GoIntegerRange = goInt64): bigint {
  const isSigned = range.min < 0n;
  const name = isSigned ? "ParseInt" : "ParseUint";
  const sign = isSigned ? "[-+]?" : "";
  const digits = base === 10 ? "[0-9]+" : "[0-9a-fA-F]+";
  if (!new RegExp(`^${sign}${digits}$`).test(text)) {
    throw new Error(`strconv.${name}: parsing ${goQuote(text)}: invalid syntax`);
  }
  const isNegative = text.startsWith("-");
  const size = BigInt((base === 16 ? "0x" : "") + text.replace(/^[-+]/, ""));
  const value = isNegative ? -size : size;
  if (value < range.min || value > range.max) {
    throw new Error(`strconv.${name}: parsing ${goQuote(text)}: value out of range`);
  }
  return value;
}

export function parseMemberId(text: string): bigint {
  try {
    return parseInteger(text, 16, goUint64);
  } catch (error) {
    return badArguments(`bad member ID arg (${(error as Error).message}), expecting ID in Hex`);
  }
}

export function parseLeaseId(text: string, what = "bad lease ID arg"): bigint {
  try {
    return parseInteger(text, 16);
  } catch (error) {
    return badArguments(`${what} (${(error as Error).message}), expecting ID in Hex`);
  }
}

/** Bytes as Go's %q prints them when they are a string. */
import { goQuote } from "../../lib/go-quote.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What is not UTF-8 is written byte by byte: `"\xff"`. */
export function goQuoteBytes(bytes: Uint8Array): string {
  try {
    return goQuote(strict.decode(bytes));
  } catch {
    return `"${pieces(bytes).join("")}"`;
  }
}

function pieces(bytes: Uint8Array): string[] {
  const out: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = runeLength(bytes, at);
    if (length === 0) out.push(`\\x${bytes[at++]!.toString(16).padStart(2, "0")}`);
    else {
      out.push(goQuote(strict.decode(bytes.subarray(at, at + length))).slice(1, -1));
      at += length;
    }
  }
  return out;
}

/** 0 if no character begins there. */
function runeLength(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      strict.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // Not whole yet, or never.
    }
  }
  return 0;
}

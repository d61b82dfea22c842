/**
 * Bytes as plain text, for people who type requests (`?keys=utf8`). What is not UTF-8 is written `base64:...`, and what is
 * written so is read as base64; text that begins with these letters itself is written in base64 as well.
 */
import { fromBase64 } from "./parse-message.ts";

const marker = "base64:";
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export function plainTextOf(bytes: Uint8Array): string {
  try {
    const text = decoder.decode(bytes);
    if (!text.startsWith(marker)) return text;
  } catch {
    // Not UTF-8.
  }
  return marker + Buffer.from(bytes).toString("base64");
}

export function bytesOfPlainText(text: string): Uint8Array | undefined {
  return text.startsWith(marker) ? fromBase64(text.slice(marker.length)) : encoder.encode(text);
}

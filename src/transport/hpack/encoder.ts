/**
 * HPACK encoding without a dynamic table of our own making: fields are literals that nobody has to remember, with
 * indexed names where the static table has one. Hot response blocks are not made here at all: see
 * `response-blocks.ts` in grpc-server.
 */
import { staticNameIndex, staticNames, staticValues } from "./static-table.ts";

/** One field of a block to encode. Values may hold any character up to U+00FF. */
export type Field = readonly [name: string, value: string];

const literalWithoutIndexing = 0x00;

/** Appends an integer with a prefix of `prefixBits` bits (RFC 7541, 5.1). */
export function pushInteger(out: number[], firstOctet: number, prefixBits: number, value: number): void {
  const limit = 2 ** prefixBits - 1;
  if (value < limit) {
    out.push(firstOctet | value);
    return;
  }
  out.push(firstOctet | limit);
  let rest = value - limit;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
  out.push(rest);
}

function pushString(out: number[], text: string): void {
  pushInteger(out, 0, 7, text.length);
  for (let at = 0; at < text.length; at++) out.push(text.charCodeAt(at) & 0xff);
}

/** Appends one field: fully indexed if the static table has it, otherwise a literal without indexing. */
export function pushField(out: number[], name: string, value: string): void {
  const index = staticNameIndex.get(name) ?? 0;
  for (let at = index; at > 0 && staticNames[at] === name; at++) {
    if (staticValues[at] === value) {
      pushInteger(out, 0x80, 7, at);
      return;
    }
  }
  pushInteger(out, literalWithoutIndexing, 4, index);
  if (index === 0) pushString(out, name);
  pushString(out, value);
}

/** Encodes a whole block. */
export function encodeFields(fields: readonly Field[]): Uint8Array {
  const out: number[] = [];
  for (const [name, value] of fields) pushField(out, name, value);
  return Uint8Array.from(out);
}

/**
 * The Huffman code of RFC 7541, appendix B.
 *
 * The code is canonical: codes of one length are consecutive and in the order of their symbols, and each length goes
 * on where the one before ended. So the lengths alone are the whole table.
 */
import { HpackError } from "./hpack-error.ts";

/** Bits in the code of each octet. */
const codeLengths = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
] as const;

/** The 257th symbol. It must never appear; a string is padded with its first bits, which are all ones. */
const endOfString = 256;
const endOfStringLength = 30;

interface Code {
  readonly symbol: number;
  readonly bits: number;
  readonly length: number;
}

/** The whole table: 256 octets and the end-of-string symbol, 256. */
export function huffmanCodes(): Code[] {
  const lengths = [...codeLengths, endOfStringLength];
  const symbols = lengths.map((_, symbol) => symbol).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  let bits = 0;
  let length = lengths[symbols[0]!]!;
  const codes: Code[] = [];
  for (const symbol of symbols) {
    bits <<= lengths[symbol]! - length;
    length = lengths[symbol]!;
    codes.push({ symbol, bits, length });
    bits++;
  }
  return codes;
}

/** A transition of the decoder: next state, the symbol it gives (if any), and whether a string may end there. */
const symbolMask = 0xff;
const emits = 0x100;
const accepts = 0x200;
const fails = 0x400;
const stateShift = 12;

/**
 * A machine that eats four bits at a time: `machine[state * 16 + nibble]`. No code is shorter than five bits, so a
 * nibble completes at most one symbol. A state is an inner node of the code's tree.
 */
const machine = buildMachine();

function buildMachine(): Int32Array {
  // Inner nodes of the tree; a child is another inner node (>= 0), a symbol (~symbol), or not yet there.
  const children: [number | undefined, number | undefined][] = [[undefined, undefined]];
  // How deep a node is if all bits to it are ones, -1 otherwise: at most 7 such bits may end a string (5.2).
  const onesDepth = [0];
  for (const { symbol, bits, length } of huffmanCodes()) {
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const side = (bits >> bit) & 1;
      let next = children[node]![side];
      if (next === undefined) {
        next = children.push([undefined, undefined]) - 1;
        onesDepth.push(side === 1 && onesDepth[node]! >= 0 ? onesDepth[node]! + 1 : -1);
        children[node]![side] = next;
      }
      node = next;
    }
    children[node]![bits & 1] = ~symbol;
  }
  const table = new Int32Array(children.length * 16);
  for (let state = 0; state < children.length; state++) {
    for (let nibble = 0; nibble < 16; nibble++) table[state * 16 + nibble] = step(state, nibble);
  }
  return table;

  function step(state: number, nibble: number): number {
    let node = state;
    let symbol = -1;
    for (let bit = 3; bit >= 0; bit--) {
      const next = children[node]![(nibble >> bit) & 1]!;
      if (next >= 0) {
        node = next;
        continue;
      }
      if (~next === endOfString) return fails;
      symbol = ~next;
      node = 0;
    }
    const depth = onesDepth[node]!;
    const mayEnd = depth >= 0 && depth <= 7 ? accepts : 0;
    return (node << stateShift) | mayEnd | (symbol >= 0 ? emits | symbol : 0);
  }
}

let scratch = Buffer.allocUnsafeSlow(4096);

/** Decodes `bytes[start, end)` into a string of one character an octet. Throws HpackError. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
  const octetsMax = ((end - start) * 8) / 5 + 1;
  if (scratch.length < octetsMax) scratch = Buffer.allocUnsafeSlow(Math.ceil(octetsMax) * 2);
  const out = scratch;
  let length = 0;
  let entry = accepts;
  for (let at = start; at < end; at++) {
    const octet = bytes[at]!;
    entry = machine[(entry >> stateShift) * 16 + (octet >> 4)]!;
    if (entry & emits) out[length++] = entry & symbolMask;
    else if (entry & fails) throw new HpackError("end-of-string symbol in a Huffman string");
    entry = machine[(entry >> stateShift) * 16 + (octet & 15)]!;
    if (entry & emits) out[length++] = entry & symbolMask;
    else if (entry & fails) throw new HpackError("end-of-string symbol in a Huffman string");
  }
  if (!(entry & accepts)) throw new HpackError("bad padding of a Huffman string");
  return out.toString("latin1", 0, length);
}

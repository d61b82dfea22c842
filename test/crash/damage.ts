/** Ways to damage a file. */
import { closeSync, openSync, readFileSync, readSync, statSync, truncateSync, writeSync } from "node:fs";
import { basename } from "node:path";
import type { Random } from "../support/random.ts";

export interface Damage {
  readonly file: string;
  /** For the report. */
  readonly what: string;
}

export function cutTo(file: string, length: number): Damage {
  const size = statSync(file).size;
  truncateSync(file, length);
  return { file, what: `${basename(file)} cut from ${size} to ${length} bytes` };
}

/** As if the end had not been written in a file that was made longer before: zeros from there on. */
export function zeroFrom(file: string, offset: number): Damage {
  const size = statSync(file).size;
  truncateSync(file, offset);
  truncateSync(file, size);
  return { file, what: `${basename(file)}, zeros from ${offset} to ${size}` };
}

/** Where the zeros begin that end a file. */
export function endOfData(file: string): number {
  const bytes = readFileSync(file);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

/** Flips a bit, or overwrites some bytes, or a sector, with something else. */
export function changeBytes(file: string, random: Random): Damage {
  const size = statSync(file).size;
  const kind = random.pick(["bit", "byte", "some", "sector", "zeros"] as const);
  const wanted = { bit: 1, byte: 1, some: 2 + random.below(30), sector: 512, zeros: 64 }[kind];
  const offset = kind === "sector" ? 512 * random.below(Math.ceil(size / 512)) : random.below(size);
  const length = Math.min(wanted, size - offset);
  const old = Buffer.alloc(length);
  const descriptor = openSync(file, "r+");
  readSync(descriptor, old, 0, length, offset);
  const changed = Buffer.from(old);
  for (let i = 0; i < length; i++) {
    const byte = old[i] as number;
    if (kind === "bit") changed[i] = byte ^ (1 << random.below(8));
    else changed[i] = kind === "zeros" ? 0 : (byte + 1 + random.below(255)) & 255;
  }
  writeSync(descriptor, changed, 0, length, offset);
  closeSync(descriptor);
  const same = changed.equals(old) ? " (which changes nothing)" : "";
  return { file, what: `${basename(file)}, ${kind}: ${length} bytes at ${offset} of ${size}${same}` };
}

/** The machine's randomness. */
import { randomBytes } from "node:crypto";

/** A random 32-bit number that nobody can foretell. */
export function randomU32(): number {
  return randomBytes(4).readUInt32LE(0);
}

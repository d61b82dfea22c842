/** The keys that begin with `prefix` end before this one: `\0`, which means the end of all keys, if no key is greater. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  const end = Buffer.from(prefix);
  for (let at = end.length - 1; at >= 0; at--) {
    if (end[at]! < 0xff) {
      end[at]!++;
      return end.subarray(0, at + 1);
    }
  }
  return Uint8Array.of(0);
}

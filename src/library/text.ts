/** Keys and values: bytes, or texts that stand for their UTF-8. */
export type Bytes = Uint8Array | string;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const toBytes = (value: Bytes): Uint8Array =>
  typeof value === "string" ? encoder.encode(value) : value;
export const toText = (value: Uint8Array): string => decoder.decode(value);

/** The end of the range of all keys that begin with `prefix`: a zero byte, "to the last", if there is no other. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  const last = prefix.findLastIndex((byte) => byte < 0xff);
  if (last < 0) return new Uint8Array(1);
  const end = prefix.slice(0, last + 1);
  end[last]!++;
  return end;
}

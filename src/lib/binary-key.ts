/**
 * Keys are bytes, but a JavaScript Map wants a string and comparing strings is what engines are best at. A "binary
 * string" holds one byte in each UTF-16 unit, so it compares as the bytes do.
 */

const chunk = 4096;

/** Bytes to binary string. */
export function toBinaryKey(bytes: Uint8Array): string {
  const { length } = bytes;
  if (length <= chunk) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let key = "";
  for (let at = 0; at < length; at += chunk) {
    key += String.fromCharCode.apply(null, bytes.subarray(at, at + chunk) as unknown as number[]);
  }
  return key;
}

/** Binary string to bytes. */
export function fromBinaryKey(key: string): Uint8Array {
  const bytes = new Uint8Array(key.length);
  for (let i = 0; i < key.length; i++) bytes[i] = key.charCodeAt(i);
  return bytes;
}

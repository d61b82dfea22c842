/**
 * Keys and values are binary strings here: one character a byte, as `atob` gives them. So they compare, cut and join like
 * strings, in etcd's order.
 */

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const fromBase64 = (text: string | undefined): string => (text ? atob(text) : "");
export const toBase64 = (binary: string): string => btoa(binary);

export function bytesOf(binary: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

export function binaryOf(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return binary;
}

export const fromText = (text: string): string => binaryOf(new TextEncoder().encode(text));

/** The text of UTF-8, undefined of anything else. */
export function textOf(binary: string): string | undefined {
  try {
    return utf8.decode(bytesOf(binary));
  } catch {
    return undefined;
  }
}

/** A key to look at, as `parseKey` reads it: what cannot be shown is written `\xff`, a backslash twice. */
export function displayKey(key: string): string {
  const text = textOf(key);
  const plain = (text ?? key).replaceAll("\\", "\\\\");
  return plain.replaceAll(text === undefined ? /[\x80-\xff]|\p{Cc}/gu : /\p{Cc}/gu, escaped);
}

const escaped = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;

/** What a person typed as a key: `\xff` is a byte, `\\` a backslash. */
export function parseKey(typed: string): string {
  return typed
    .split(/(\\x[0-9a-fA-F]{2}|\\\\)/)
    .map((part) => {
      if (/^\\x[0-9a-fA-F]{2}$/.test(part)) return String.fromCharCode(Number.parseInt(part.slice(2), 16));
      return part === "\\\\" ? "\\" : fromText(part);
    })
    .join("");
}

/** The end of the range of all keys that begin with `prefix`: "\0" stands for no end. */
export function prefixEnd(prefix: string): string {
  for (let at = prefix.length - 1; at >= 0; at--) {
    const code = prefix.charCodeAt(at);
    if (code < 0xff) return prefix.slice(0, at) + String.fromCharCode(code + 1);
  }
  return "\0";
}

/** For a URL. */
export const toUrl = (binary: string): string =>
  toBase64(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
export const fromUrl = (text: string): string => atob(text.replaceAll("-", "+").replaceAll("_", "/"));

export function humanBytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) {
    count /= 1000;
    unit++;
  }
  return `${count < 10 && unit > 0 ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

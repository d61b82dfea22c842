/** Strings as Go writes them in quotes, and lines cut into words as etcdctl cuts them. */
import { Exit, ExitCode } from "./exit.ts";
import { fromStrayByte } from "./words.ts";

const simple: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};

const escapes =
  /\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([abfnrtv\\"]))|([^\\])|(\\)/gsu;

/** What stands between double quotes, read; undefined if it is not well formed. Bytes may be \xff, see bytesOf. */
export function unquote(inside: string): string | undefined {
  let out = "";
  for (const match of inside.matchAll(escapes)) {
    const [, hex, octal, short, long, letter, plain, wrong] = match;
    if (wrong !== undefined) return undefined;
    if (plain !== undefined) out += plain;
    else if (letter !== undefined) out += simple[letter];
    else if (hex !== undefined || octal !== undefined) {
      const byte = hex === undefined ? Number.parseInt(octal!, 8) : Number.parseInt(hex, 16);
      if (byte > 0xff) return undefined;
      out += byte < 0x80 ? String.fromCharCode(byte) : fromStrayByte(byte);
    } else {
      const code = Number.parseInt((short ?? long)!, 16);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
      out += String.fromCodePoint(code);
    }
  }
  return out;
}

const quoted = /^\s*(?:"((?:[^"\\\n]|\\.)*)"|`([^`]*)`)/;

/** A quoted string at the beginning of `text`, and what comes after it. */
export function takeQuoted(text: string): { readonly value: string; readonly rest: string } | undefined {
  const match = quoted.exec(text);
  if (match === null) return undefined;
  const value = match[2] ?? unquote(match[1]!);
  return value === undefined ? undefined : { value, rest: text.slice(match[0].length) };
}

const words = /"(?:[^"\\]|\\.)*"|'[^']*'|[^'"\s]\S*[^'"\s]?/g;

/** Words parted by blanks; quotes of either kind hold one together. */
export function splitLine(line: string): string[] {
  return (line.match(words) ?? []).map((word) => {
    if (word.startsWith("'")) return word.slice(1, -1);
    if (!word.startsWith('"')) return word;
    const value = takeQuoted(word)?.value;
    if (value === undefined) throw new Exit(ExitCode.invalidInput, "bad quoted string");
    return value;
  });
}

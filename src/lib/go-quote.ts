/** Go's `%q`: a string in double quotes. etcd's error texts quote what they complain about in this way. */

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

export function goQuote(text: string): string {
  let quoted = "";
  for (const character of text) {
    if (Object.hasOwn(short, character)) quoted += short[character];
    else if (isPrintable(character)) quoted += character;
    else quoted += escaped(character.codePointAt(0) as number);
  }
  return `"${quoted}"`;
}

/** Go's `%q` of a `[]string`. */
export function goQuoteList(texts: readonly string[]): string {
  return `[${texts.map(goQuote).join(" ")}]`;
}

const isPrintable = (character: string): boolean => character === " " || /[^\p{C}\p{Z}]/u.test(character);

function escaped(code: number): string {
  const hex = (digits: number) => code.toString(16).padStart(digits, "0");
  if (code < 0x80) return `\\x${hex(2)}`;
  // A lone surrogate cannot come from bytes; it prints as the replacement character, like any broken text.
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd";
  return code <= 0xffff ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}

/**
 * Finds where each JSON value of a request body ends, as its bytes come in. The words of its refusals are those of Go's
 * encoding/json, which etcd's gateway reads with.
 */
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import { goQuote } from "../../lib/go-quote.ts";

/** How deep values may lie in each other: Go's limit. */
const depthMax = 10_000;

/** What the next character may be. */
const Expect = {
  value: 0,
  valueOrClose: 1,
  keyOrClose: 2,
  key: 3,
  colon: 4,
  afterValue: 5,
  string: 6,
  escape: 7,
  hex: 8,
  literal: 9,
  minus: 10,
  zero: 11,
  integer: 12,
  dot: 13,
  fraction: 14,
  exponent: 15,
  exponentSign: 16,
  exponentDigits: 17,
} as const;
type Expect = (typeof Expect)[keyof typeof Expect];

const quote = 0x22;
const backslash = 0x5c;
const openObject = 0x7b;
const closeObject = 0x7d;
const openArray = 0x5b;
const closeArray = 0x5d;
const comma = 0x2c;

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isHex = (code: number): boolean =>
  isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66);
const isE = (code: number): boolean => code === 0x45 || code === 0x65;

export class ValueSplitter {
  readonly #valueBytesMax: number;
  #expect: Expect = Expect.value;
  /** Whether each open bracket is one of an object. */
  #open: boolean[] = [];
  #inKey = false;
  #literal = "";
  #left = 0;
  /** A value has begun. */
  #begun = false;
  /** The part of it that came with earlier chunks. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  /** A value longer than `valueBytesMax` is refused with ResourceExhausted. */
  constructor(valueBytesMax: number) {
    this.#valueBytesMax = valueBytesMax;
  }

  /** The values that end in `chunk`. Throws what is wrong with it; then there is no going on. */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      const code = chunk[at]!;
      if (!this.#begun) {
        if (isSpace(code)) {
          at++;
          continue;
        }
        this.#begun = true;
        start = at;
      }
      if (this.#expect === Expect.string && code !== quote && code !== backslash && code >= 0x20) {
        at++;
        continue;
      }
      const taken = this.#step(code);
      if (taken) at++;
      if (this.#expect === Expect.afterValue && this.#open.length === 0) {
        yield this.#take(chunk.subarray(start, at));
      }
    }
    if (this.#begun) this.#hold(chunk.subarray(start));
  }

  /** The body ends: a number that could have gone on, if there is one. */
  end(): Uint8Array | undefined {
    if (!this.#begun) return undefined;
    if (this.#open.length === 0 && this.#isWholeNumber) return this.#take(new Uint8Array(0));
    throw invalid("unexpected EOF");
  }

  get #isWholeNumber(): boolean {
    const expect = this.#expect;
    return (
      expect === Expect.zero ||
      expect === Expect.integer ||
      expect === Expect.fraction ||
      expect === Expect.exponentDigits
    );
  }

  #hold(bytes: Uint8Array): void {
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > this.#valueBytesMax) {
      throw new EtcdError(
        GrpcCode.resourceExhausted,
        `a JSON value is larger than ${this.#valueBytesMax} bytes`,
      );
    }
    this.#held.push(bytes);
  }

  #take(last: Uint8Array): Uint8Array {
    this.#hold(last);
    const value = this.#held.length === 1 ? last : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#begun = false;
    this.#expect = Expect.value;
    return value;
  }

  /** Takes one character; false if it belongs to what follows, as the one behind a number does. */
  #step(code: number): boolean {
    switch (this.#expect) {
      case Expect.value:
      case Expect.valueOrClose:
        return this.#beginValue(code);
      case Expect.keyOrClose:
      case Expect.key:
        return this.#beginKey(code);
      case Expect.colon:
        if (isSpace(code)) return true;
        if (code !== 0x3a) throw unexpected(code, "after object key");
        this.#expect = Expect.value;
        return true;
      case Expect.afterValue:
        return this.#afterValue(code);
      case Expect.string:
      case Expect.escape:
      case Expect.hex:
        return this.#string(code);
      case Expect.literal:
        return this.#word(code);
      default:
        return this.#number(code);
    }
  }

  #beginValue(code: number): boolean {
    if (isSpace(code)) return true;
    if (code === closeArray && this.#expect === Expect.valueOrClose) return this.#close();
    if (code === openObject) this.#push(true, Expect.keyOrClose);
    else if (code === openArray) this.#push(false, Expect.valueOrClose);
    else if (code === quote) {
      this.#inKey = false;
      this.#expect = Expect.string;
    } else if (code === 0x2d) this.#expect = Expect.minus;
    else if (code === 0x30) this.#expect = Expect.zero;
    else if (isDigit(code)) this.#expect = Expect.integer;
    else if (code === 0x74) this.#beginWord("true");
    else if (code === 0x66) this.#beginWord("false");
    else if (code === 0x6e) this.#beginWord("null");
    else throw unexpected(code, "looking for beginning of value");
    return true;
  }

  #beginKey(code: number): boolean {
    if (isSpace(code)) return true;
    if (code === closeObject && this.#expect === Expect.keyOrClose) return this.#close();
    if (code !== quote) throw unexpected(code, "looking for beginning of object key string");
    this.#inKey = true;
    this.#expect = Expect.string;
    return true;
  }

  #push(isObject: boolean, expect: Expect): void {
    if (this.#open.length >= depthMax) throw invalid("exceeded max depth");
    this.#open.push(isObject);
    this.#expect = expect;
  }

  #close(): boolean {
    this.#open.pop();
    this.#expect = Expect.afterValue;
    return true;
  }

  #afterValue(code: number): boolean {
    if (isSpace(code)) return true;
    const isObject = this.#open.at(-1);
    if (code === comma) this.#expect = isObject ? Expect.key : Expect.value;
    else if (code === (isObject ? closeObject : closeArray)) return this.#close();
    else throw unexpected(code, isObject ? "after object key:value pair" : "after array element");
    return true;
  }

  #string(code: number): boolean {
    if (this.#expect === Expect.escape) {
      if (code === 0x75) {
        this.#left = 4;
        this.#expect = Expect.hex;
      } else if (`"\\/bfnrt`.includes(String.fromCharCode(code))) this.#expect = Expect.string;
      else throw unexpected(code, "in string escape code");
    } else if (this.#expect === Expect.hex) {
      if (!isHex(code)) throw unexpected(code, "in \\u hexadecimal character escape");
      if (--this.#left === 0) this.#expect = Expect.string;
    } else if (code === quote) this.#expect = this.#inKey ? Expect.colon : Expect.afterValue;
    else if (code === backslash) this.#expect = Expect.escape;
    else throw unexpected(code, "in string literal");
    return true;
  }

  #beginWord(word: string): void {
    this.#literal = word;
    this.#left = 1;
    this.#expect = Expect.literal;
  }

  #word(code: number): boolean {
    const expected = this.#literal[this.#left]!;
    if (code !== expected.charCodeAt(0)) {
      throw unexpected(code, `in literal ${this.#literal} (expecting '${expected}')`);
    }
    if (++this.#left === this.#literal.length) this.#expect = Expect.afterValue;
    return true;
  }

  #number(code: number): boolean {
    const expect = this.#expect;
    if (isDigit(code)) {
      if (expect === Expect.minus) this.#expect = code === 0x30 ? Expect.zero : Expect.integer;
      else if (expect === Expect.dot) this.#expect = Expect.fraction;
      else if (expect === Expect.exponent || expect === Expect.exponentSign)
        this.#expect = Expect.exponentDigits;
      else if (expect === Expect.zero) return this.#endNumber();
      return true;
    }
    if (expect === Expect.minus) throw unexpected(code, "in numeric literal");
    if (expect === Expect.dot) throw unexpected(code, "after decimal point in numeric literal");
    if (expect === Expect.exponent && (code === 0x2b || code === 0x2d)) {
      this.#expect = Expect.exponentSign;
      return true;
    }
    if (expect === Expect.exponent || expect === Expect.exponentSign)
      throw unexpected(code, "in exponent of numeric literal");
    const isInteger = expect === Expect.zero || expect === Expect.integer;
    if (code === 0x2e && isInteger) this.#expect = Expect.dot;
    else if (isE(code) && (isInteger || expect === Expect.fraction)) this.#expect = Expect.exponent;
    else return this.#endNumber();
    return true;
  }

  #endNumber(): boolean {
    this.#expect = Expect.afterValue;
    return false;
  }
}

function unexpected(code: number, where: string): EtcdError {
  const character = String.fromCharCode(code);
  let quoted = `'${goQuote(character).slice(1, -1)}'`;
  if (character === "'") quoted = "'\\''";
  else if (character === '"') quoted = "'\"'";
  return invalid(`invalid character ${quoted} ${where}`);
}

function invalid(message: string): EtcdError {
  return new EtcdError(GrpcCode.invalidArgument, message);
}

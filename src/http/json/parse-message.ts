/**
 * A JSON value as the bytes of a protobuf message, by protobuf's JSON rules: either style of names, unknown names
 * ignored, 64-bit numbers with all their digits whether they are strings or not. Refusals are in the words of Go's
 * protojson, with line and column. The value is known to be JSON: ValueSplitter has seen it.
 */
import { layoutOf, type MessageTable, type TableField } from "../../codec/message-table.ts";
import { encodeUtf8 } from "../../codec/protowire-write.ts";
import type { ScalarName } from "../../codec/scalars.ts";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import { goQuote } from "../../lib/go-quote.ts";
import { WireWriter } from "./wire-writer.ts";

/** Takes a string of the request where its bytes are wanted: base64, or for people plain text. */
export type BytesOf = (text: string, field: TableField) => Uint8Array | undefined;

/** Throws an EtcdError that says what is wrong. */
export function parseMessage(
  desc: MessageTable,
  json: Uint8Array,
  bytesOf: BytesOf = fromBase64,
): Uint8Array {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
  } catch {
    throw refusal("proto: syntax error: invalid UTF-8 in string");
  }
  const writer = new WireWriter();
  try {
    new MessageParser(text, bytesOf).message(desc, writer);
  } catch (error) {
    if (error instanceof RangeError) throw refusal("proto: exceeded max recursion depth");
    throw error;
  }
  return writer.finish();
}

interface Names {
  readonly fields: ReadonlyMap<string, TableField>;
}
const namesOf = new WeakMap<MessageTable, Names>();

function fieldNamed(desc: MessageTable, name: string): TableField | undefined {
  let names = namesOf.get(desc);
  if (!names) {
    names = {
      fields: new Map(
        layoutOf(desc).fields.flatMap((f) => [[f.name, f] as const, [f.localName, f] as const]),
      ),
    };
    namesOf.set(desc, names);
  }
  return names.fields.get(name);
}

const integerRanges: Readonly<Partial<Record<ScalarName, readonly [bigint, bigint]>>> = {
  int64: [-(1n << 63n), (1n << 63n) - 1n],
  uint64: [0n, (1n << 64n) - 1n],
  uint32: [0n, (1n << 32n) - 1n],
};

class MessageParser {
  readonly #text: string;
  readonly #bytesOf: BytesOf;
  #at = 0;

  constructor(text: string, bytesOf: BytesOf) {
    this.#text = text;
    this.#bytesOf = bytesOf;
  }

  message(desc: MessageTable, writer: WireWriter): void {
    this.#space();
    if (this.#text[this.#at] !== "{") throw this.#unexpectedToken();
    this.#at++;
    const seenFields = new Set<TableField>();
    const seenOneofs = new Set<string>();
    for (;;) {
      this.#space();
      if (this.#skipOver("}")) return;
      this.#skipOver(",");
      this.#space();
      const at = this.#at;
      const name = this.#string();
      this.#space();
      this.#skipOver(":");
      this.#space();
      const field = fieldNamed(desc, name);
      if (field === undefined) {
        this.#skipValue();
        continue;
      }
      if (seenFields.has(field)) throw this.#error(at, `duplicate field ${goQuote(name)}`);
      seenFields.add(field);
      if (this.#text[this.#at] === "n") {
        this.#at += "null".length;
        continue;
      }
      const { oneof } = field;
      if (oneof !== undefined) {
        const taken = `oneof ${desc.typeName}.${oneof.name} is already set`;
        if (seenOneofs.has(oneof.name)) throw this.#error(at, `error parsing ${goQuote(name)}, ${taken}`);
        seenOneofs.add(oneof.name);
      }
      this.#field(field, writer);
    }
  }

  #field(field: TableField, writer: WireWriter): void {
    if (field.isRepeated) this.#list(field, writer);
    else this.#element(field, writer);
  }

  #list(field: TableField, writer: WireWriter): void {
    if (this.#text[this.#at] !== "[") throw this.#unexpectedToken();
    this.#at++;
    for (;;) {
      this.#space();
      if (this.#skipOver("]")) return;
      this.#skipOver(",");
      this.#space();
      this.#element(field, writer);
    }
  }

  #element(field: TableField, writer: WireWriter): void {
    if (field.message) {
      writer.begin();
      this.message(field.message, writer);
      writer.end(field.number);
    } else if (field.enum) this.#enum(field, writer);
    else this.#scalar(field, writer);
  }

  #enum(field: TableField, writer: WireWriter): void {
    const at = this.#at;
    if (this.#text[at] === '"') {
      const name = this.#string();
      const { numbers } = field.enum!;
      // A name from a newer version is ignored like an unknown field.
      if (Object.hasOwn(numbers, name)) writer.varint(field.number, BigInt(numbers[name]!));
      return;
    }
    const raw = this.#raw();
    const value = integerOf(raw, [-(1n << 31n), (1n << 31n) - 1n]);
    if (value === undefined) throw this.#invalidValue(at, "enum", field, raw);
    writer.varint(field.number, value);
  }

  #scalar(field: TableField, writer: WireWriter): void {
    const type = field.scalar!;
    const at = this.#at;
    const isString = this.#text[at] === '"';
    const raw = this.#raw();
    const invalid = () => this.#invalidValue(at, type, field, raw);
    const range = integerRanges[type];
    if (range !== undefined) {
      const value = integerOf(isString ? unquoted(raw) : raw, range);
      if (value === undefined) throw invalid();
      if (value !== 0n || field.oneof) writer.varint(field.number, value);
    } else if (type === "bool") {
      if (raw !== "true" && raw !== "false") throw invalid();
      if (raw === "true" || field.oneof) writer.varint(field.number, raw === "true" ? 1n : 0n);
    } else if (type === "string") {
      if (!isString) throw invalid();
      writer.bytes(field.number, encodeUtf8(unquoted(raw)));
    } else {
      const bytes = isString ? this.#bytesOf(unquoted(raw), field) : undefined;
      if (bytes === undefined) throw invalid();
      writer.bytes(field.number, bytes);
    }
  }

  // ---- reading ----

  #space(): void {
    while (" \n\r\t".includes(this.#text[this.#at] ?? "x")) this.#at++;
  }

  #skipOver(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #string(): string {
    const start = this.#at;
    this.#skipString();
    return unquoted(this.#text.slice(start, this.#at));
  }

  #skipString(): void {
    let end = this.#at + 1;
    for (;;) {
      end = this.#text.indexOf('"', end);
      let backslashes = 0;
      while (this.#text[end - 1 - backslashes] === "\\") backslashes++;
      end++;
      if (backslashes % 2 === 0) break;
    }
    this.#at = end;
  }

  /** The text of the token here: of a bracket only itself. */
  #raw(): string {
    const start = this.#at;
    if (this.#text[start] === '"') this.#skipString();
    else if ("[{".includes(this.#text[start]!)) this.#at++;
    else while (!",]} \n\r\t".includes(this.#text[this.#at] ?? ",")) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  #skipValue(): void {
    let depth = 0;
    do {
      this.#space();
      const character = this.#text[this.#at]!;
      if ("{[".includes(character)) {
        depth++;
        this.#at++;
      } else if ("}]".includes(character)) {
        depth--;
        this.#at++;
      } else if (",:".includes(character)) this.#at++;
      else this.#raw();
    } while (depth > 0);
  }

  // ---- refusals ----

  #unexpectedToken(): EtcdError {
    const at = this.#at;
    return refusal(`proto: syntax error ${this.#place(at)}: unexpected token ${this.#raw()}`);
  }

  #invalidValue(at: number, kind: string, field: TableField, raw: string): EtcdError {
    return this.#error(at, `invalid value for ${kind} field ${field.localName}: ${raw}`);
  }

  #error(at: number, what: string): EtcdError {
    return refusal(`proto: ${this.#place(at)}: ${what}`);
  }

  /** Columns count characters, from 1. */
  #place(at: number): string {
    const before = this.#text.slice(0, at);
    const line = before.split("\n").length;
    const column = [...before.slice(before.lastIndexOf("\n") + 1)].length + 1;
    return `(line ${line}:${column})`;
  }
}

function refusal(message: string): EtcdError {
  return new EtcdError(GrpcCode.invalidArgument, message);
}

const unquoted = (raw: string): string =>
  raw.includes("\\") ? (JSON.parse(raw) as string) : raw.slice(1, -1);

/** A JSON number that is whole, whatever it is written like (`1e3`, `5.0`). */
function integerOf(raw: string, [least, most]: readonly [bigint, bigint]): bigint | undefined {
  const match = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/.exec(raw);
  if (!match) return undefined;
  const [, sign, whole, fraction = "", exponentText = "0"] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  if (digits === "") return 0n;
  const zeros = /0*$/.exec(digits)![0].length;
  const exponent = Number(exponentText) - fraction.length;
  if (exponent < -zeros || digits.length + exponent > 20) return undefined;
  const scaled = exponent < 0 ? digits.slice(0, exponent) : digits + "0".repeat(exponent);
  const value = BigInt(`${sign}${scaled}`);
  return value < least || value > most ? undefined : value;
}

/** Base64 in the standard or the URL alphabet, padded or, if its length says so, not. */
export function fromBase64(text: string): Uint8Array | undefined {
  const encoded = /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, "") : text;
  const isPadded = text.length % 4 === 0;
  const isUrl = /[-_]/.test(encoded);
  const digits = encoded.replace(/={1,2}$/, "");
  if (!(isUrl ? /^[\w-]*$/ : /^[A-Za-z0-9+/]*$/).test(digits)) return undefined;
  if (digits.length % 4 === 1 || (isPadded ? encoded.length % 4 !== 0 : digits !== encoded)) return undefined;
  return Buffer.from(encoded, isUrl ? "base64url" : "base64");
}

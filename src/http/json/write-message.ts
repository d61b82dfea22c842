/**
 * The bytes of a protobuf message as JSON, as protojson writes it for etcd: names of the .proto files, 64-bit numbers as
 * strings, bytes in base64, nothing for default values. It goes from the wire to text without making messages, piece by
 * piece, so that an answer of any size costs little memory and never holds the event loop.
 */
import { type EnumTable, layoutOf, type MessageTable, type TableField } from "../../codec/message-table.ts";
import { assert } from "../../lib/assert.ts";
import { WireReader } from "./wire-reader.ts";

/** About so many characters go into a piece. */
export const pieceCharacters = 32 * 1024;

/** How bytes become text: base64, or for people plain text. */
export type TextOf = (bytes: Uint8Array, field: TableField) => string;

export interface WriteOptions {
  /** Streams escape `<`, `>` and `&` as Go's encoding/json does. */
  readonly escapeHtml?: boolean;
  readonly textOf?: TextOf;
}

/** Yields the JSON of a message that lies in `parts`. */
export function* writeMessage(
  desc: MessageTable,
  parts: readonly Uint8Array[],
  options: WriteOptions = {},
): Generator<string, void, undefined> {
  const writer = new MessageWriter(options);
  yield* writer.message(desc, new WireReader(parts));
  yield writer.take();
}

class MessageWriter {
  #text = "";
  readonly #escapeHtml: boolean;
  readonly #textOf: TextOf;

  constructor({ escapeHtml = false, textOf = toBase64 }: WriteOptions) {
    this.#escapeHtml = escapeHtml;
    this.#textOf = textOf;
  }

  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }

  *message(desc: MessageTable, reader: WireReader): Generator<string, void, undefined> {
    const { byNumber } = layoutOf(desc);
    let list: TableField | undefined;
    const written = new Set<TableField>();
    this.#text += "{";
    while (reader.next()) {
      const field = byNumber.get(reader.fieldNumber);
      if (field === undefined) continue;
      if (list !== undefined && list !== field) {
        this.#text += "]";
        list = undefined;
      }
      if (list === field) this.#text += ",";
      else if (this.#begin(field, reader, written)) list = field.isRepeated ? field : undefined;
      else continue;
      if (field.message === undefined) this.#value(field, reader);
      else if (layoutOf(field.message).isFlat) this.#flat(field.message, reader.bytes);
      else yield* this.message(field.message, new WireReader([reader.bytes]));
      if (this.#text.length >= pieceCharacters) yield this.take();
    }
    this.#text += list === undefined ? "}" : "]}";
  }

  /** A message without messages in it: no need to stop there. */
  #flat(desc: MessageTable, bytes: Uint8Array): void {
    const { byNumber } = layoutOf(desc);
    const reader = new WireReader([bytes]);
    let list: TableField | undefined;
    const written = new Set<TableField>();
    this.#text += "{";
    while (reader.next()) {
      const field = byNumber.get(reader.fieldNumber);
      if (field === undefined) continue;
      if (list !== undefined && list !== field) {
        this.#text += "]";
        list = undefined;
      }
      if (list === field) this.#text += ",";
      else if (this.#begin(field, reader, written)) list = field.isRepeated ? field : undefined;
      else continue;
      this.#value(field, reader);
    }
    this.#text += list === undefined ? "}" : "]}";
  }

  /** The name of a field; false if its value is the default one, which is left out. */
  #begin(field: TableField, reader: WireReader, written: Set<TableField>): boolean {
    if (!field.isRepeated && !field.message && !field.oneof && reader.isZero) return false;
    assert(!written.has(field), `${field.name} comes twice in an answer`);
    const separator = written.size === 0 ? "" : ",";
    this.#text += `${separator}"${field.name}":${field.isRepeated ? "[" : ""}`;
    written.add(field);
    return true;
  }

  #value(field: TableField, reader: WireReader): void {
    if (field.enum) {
      const number = Number(BigInt.asIntN(32, reader.varint));
      const name = nameOf(field.enum, number);
      this.#text += name === undefined ? String(number) : `"${name}"`;
      return;
    }
    switch (field.scalar) {
      case "bytes":
        this.#text += this.#quoted(this.#textOf(reader.bytes, field));
        break;
      case "string":
        this.#text += this.#quoted(decoder.decode(reader.bytes));
        break;
      case "bool":
        this.#text += reader.isZero ? "false" : "true";
        break;
      case "int64":
        this.#text += `"${reader.signedText}"`;
        break;
      case "uint64":
        this.#text += `"${reader.varint}"`;
        break;
      default:
        this.#text += String(reader.varint);
    }
  }

  #quoted(text: string): string {
    const quoted = needsNoEscape.test(text) ? `"${text}"` : JSON.stringify(text);
    return this.#escapeHtml ? escapeHtml(quoted) : quoted;
  }
}

function nameOf({ numbers }: EnumTable, number: number): string | undefined {
  for (const name in numbers) if (numbers[name] === number) return name;
  return undefined;
}

const decoder = new TextDecoder();
const needsNoEscape = /^[A-Za-z0-9+/=]*$/;

/** What encoding/json escapes besides, so that its output may stand in HTML and in JavaScript. */
export function escapeHtml(json: string): string {
  return json.replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

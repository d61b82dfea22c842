/** Reads and writes the messages that message.ts describes, in protobuf's wire format. */
import { noBytes, Reader } from "../../codec/protowire-read.ts";
import { encodeUtf8 } from "../../codec/protowire-write.ts";
import { isDefault, readScalar, scalarDefaults } from "../../codec/scalars.ts";
import type { Field, Init, MessageType, ScalarType } from "./message.ts";

const lengthDelimited = 2;
const wireTypes: Readonly<Record<ScalarType, number>> = {
  bytes: lengthDelimited,
  string: lengthDelimited,
  bool: 0,
  int64: 0,
  uint64: 0,
  uint32: 0,
  enum: 0,
};
const two64 = 1n << 64n;

export function encode<T>(type: MessageType<T>, value: Init<T>): Uint8Array {
  const pieces: Uint8Array[] = [];
  writeMessage(pieces, type, value as Readonly<Record<string, unknown>>);
  const [only = noBytes] = pieces;
  return pieces.length <= 1 ? only : Buffer.concat(pieces);
}

function writeMessage(
  pieces: Uint8Array[],
  type: MessageType<unknown>,
  value: Readonly<Record<string, unknown>>,
): void {
  for (const [name, field] of type.fields) {
    const given = value[name];
    if (given === undefined) continue;
    if (field.repeated) for (const item of given as readonly unknown[]) writeField(pieces, field, item);
    else if (field.isOneof || typeof field.type === "function" || !isDefault(given)) {
      writeField(pieces, field, given);
    }
  }
}

function writeField(pieces: Uint8Array[], field: Field<unknown>, value: unknown): void {
  const { type } = field;
  if (typeof type !== "function" && wireTypes[type] === 0) {
    const head: number[] = [];
    pushVarint(head, BigInt(field.number << 3));
    pushVarint(head, BigInt(value as bigint | number | boolean));
    pieces.push(Uint8Array.from(head));
    return;
  }
  let body: Uint8Array;
  if (typeof type === "function") body = encode(type(), value as Record<string, unknown>);
  else body = type === "string" ? encodeUtf8(value as string) : (value as Uint8Array);
  const head: number[] = [];
  pushVarint(head, BigInt((field.number << 3) | lengthDelimited));
  pushVarint(head, BigInt(body.length));
  pieces.push(Uint8Array.from(head), body);
}

function pushVarint(out: number[], value: bigint): void {
  let rest = value < 0n ? value + two64 : value;
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
}

/** Bytes of the result are views into `message`. Throws a DecodeError. */
export function decode<T>(type: MessageType<T>, message: Uint8Array): T {
  return readMessage(new Reader(message), type) as T;
}

function readMessage(reader: Reader, type: MessageType<unknown>): Record<string, unknown> {
  const into: Record<string, unknown> = {};
  for (const [name, field] of type.fields) into[name] = emptyOf(field);
  while (reader.more()) {
    const tag = reader.tag();
    const entry = entryOf(type, tag >>> 3);
    if (entry === undefined) {
      reader.skip(tag);
      continue;
    }
    const [name, field] = entry;
    if (field.repeated) readRepeated(reader, field, tag & 7, into[name] as unknown[]);
    else into[name] = readValue(reader, field);
  }
  return into;
}

/** Numbers of a list may be packed into one field. */
function readRepeated(reader: Reader, field: Field<unknown>, wireType: number, into: unknown[]): void {
  const isPacked =
    wireType === lengthDelimited && typeof field.type !== "function" && wireTypes[field.type] === 0;
  if (!isPacked) {
    into.push(readValue(reader, field));
    return;
  }
  const outerEnd = reader.enter();
  while (reader.more()) into.push(readValue(reader, field));
  reader.leave(outerEnd);
}

const maps = new WeakMap<MessageType<unknown>, Map<number, MessageType<unknown>["fields"][number]>>();

function entryOf(
  type: MessageType<unknown>,
  number: number,
): MessageType<unknown>["fields"][number] | undefined {
  let map = maps.get(type);
  if (map === undefined) {
    map = new Map(type.fields.map((entry) => [entry[1].number, entry]));
    maps.set(type, map);
  }
  return map.get(number);
}

function emptyOf(field: Field<unknown>): unknown {
  if (field.repeated) return [];
  if (field.isOneof || typeof field.type === "function") return undefined;
  return field.type === "enum" ? 0 : scalarDefaults[field.type];
}

function readValue(reader: Reader, field: Field<unknown>): unknown {
  if (typeof field.type === "function") {
    const outerEnd = reader.enter();
    const value = readMessage(reader, field.type());
    reader.leave(outerEnd);
    return value;
  }
  return field.type === "enum" ? reader.enum() : readScalar(reader, field.type);
}

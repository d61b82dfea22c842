/**
 * Makes, reads and writes the messages that tables describe (message-table.ts), for all that has no codec of its own here.
 * The functions and the messages are those of the generated code's library, so that both can stand in for each other;
 * only fields that a table does not know are not kept. The bytes are those of protobuf-go.
 */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { layoutOf, type MessageTable, type TableField } from "./message-table.ts";
import { Reader } from "./protowire-read.ts";
import {
  bigVarintSize,
  encodeUtf8,
  sealed,
  varintSize,
  writeBigVarint,
  writeBytes,
  writeVarint,
} from "./protowire-write.ts";
import { isDefault, readScalar, scalarDefaults } from "./scalars.ts";

/** What `create` makes of a table, and what it is given. */
export type MessageOf<Table> = Table extends MessageTable<infer Desc> ? MessageShape<Desc> : never;
export type MessageInit<Table> = Table extends MessageTable<infer Desc> ? MessageInitShape<Desc> : never;

type Fields = Record<string, unknown>;
/** A oneof of a message: the member that is set. */
interface Chosen {
  readonly case: string | undefined;
  readonly value?: unknown;
}

const varint = 0;
const lengthDelimited = 2;

const wireTypeOf = ({ scalar, message }: TableField): number =>
  message !== undefined || scalar === "bytes" || scalar === "string" ? lengthDelimited : varint;

const defaultOf = ({ scalar }: TableField): unknown => (scalar === undefined ? 0 : scalarDefaults[scalar]);

/** A message with what `init` has, and defaults. */
export function create<Desc extends DescMessage>(
  table: MessageTable<Desc>,
  init?: MessageInitShape<Desc>,
): MessageShape<Desc> {
  return filled(table, (init ?? {}) as Fields) as unknown as MessageShape<Desc>;
}

function filled(table: MessageTable, init: Fields): Fields {
  const message: Fields = { $typeName: table.typeName };
  for (const field of layoutOf(table).fields) {
    const { localName, oneof } = field;
    const inner = (value: unknown) => (field.message ? filled(field.message, value as Fields) : value);
    if (oneof) {
      const given = init[oneof.localName] as Chosen | undefined;
      if (given?.case === localName)
        message[oneof.localName] = { case: localName, value: inner(given.value) };
      else message[oneof.localName] ??= { case: undefined };
    } else if (field.isRepeated) {
      message[localName] = ((init[localName] ?? []) as unknown[]).map(inner);
    } else if (init[localName] !== undefined) {
      message[localName] = inner(init[localName]);
    } else if (!field.message) {
      message[localName] = defaultOf(field);
    }
  }
  return message;
}

// ---- writing ----

export function toBinary<Desc extends DescMessage>(
  table: MessageTable<Desc>,
  message: MessageShape<Desc>,
): Uint8Array<ArrayBuffer> {
  const fields = message as unknown as Fields;
  const buffer = new Uint8Array(sizeOf(table, fields));
  sealed(buffer, write(table, fields, buffer, 0));
  return buffer;
}

/** The values of a field that go on the wire, one by one. */
function valuesOf(field: TableField, message: Fields): readonly unknown[] {
  const { localName, oneof } = field;
  if (oneof) {
    const chosen = message[oneof.localName] as Chosen;
    return chosen.case === localName ? [chosen.value] : [];
  }
  const value = message[localName];
  if (field.isRepeated) return value as unknown[];
  return value === undefined || (!field.message && isDefault(value)) ? [] : [value];
}

/** Numbers of a list go into one field. */
const isPacked = (field: TableField): boolean => field.isRepeated && wireTypeOf(field) === varint;

function sizeOf(table: MessageTable, message: Fields): number {
  let size = 0;
  for (const field of layoutOf(table).fields) {
    const values = valuesOf(field, message);
    if (values.length === 0) continue;
    const tagSize = varintSize(field.number * 8);
    let bodies = 0;
    for (const value of values) {
      const body = bodySize(field, value);
      bodies += body;
      if (!isPacked(field)) size += tagSize + lengthSize(field, body) + body;
    }
    if (isPacked(field)) size += tagSize + varintSize(bodies) + bodies;
  }
  return size;
}

const lengthSize = (field: TableField, body: number): number =>
  wireTypeOf(field) === lengthDelimited ? varintSize(body) : 0;

function bodySize(field: TableField, value: unknown): number {
  if (field.message) return sizeOf(field.message, value as Fields);
  if (field.scalar === "bytes") return (value as Uint8Array).length;
  if (field.scalar === "string") return encodeUtf8(value as string).length;
  if (typeof value === "bigint") return bigVarintSize(value);
  return varintSize(Number(value));
}

function write(table: MessageTable, message: Fields, buffer: Uint8Array, start: number): number {
  let at = start;
  for (const field of layoutOf(table).fields) {
    const values = valuesOf(field, message);
    if (values.length === 0) continue;
    if (isPacked(field)) {
      const bodies = values.reduce((sum: number, value) => sum + bodySize(field, value), 0);
      at = writeVarint(buffer, at, field.number * 8 + lengthDelimited);
      at = writeVarint(buffer, at, bodies);
      for (const value of values) at = writeBody(field, value, buffer, at);
      continue;
    }
    for (const value of values) {
      at = writeVarint(buffer, at, field.number * 8 + wireTypeOf(field));
      if (wireTypeOf(field) === lengthDelimited) at = writeVarint(buffer, at, bodySize(field, value));
      at = writeBody(field, value, buffer, at);
    }
  }
  return at;
}

function writeBody(field: TableField, value: unknown, buffer: Uint8Array, at: number): number {
  if (field.message) return write(field.message, value as Fields, buffer, at);
  if (field.scalar === "bytes") return writeBytes(buffer, at, value as Uint8Array);
  if (field.scalar === "string") return writeBytes(buffer, at, encodeUtf8(value as string));
  if (typeof value === "bigint") return writeBigVarint(buffer, at, value);
  return writeVarint(buffer, at, Number(value));
}

// ---- reading ----

/** Bytes of the message are views into `bytes`. Throws a DecodeError. */
export function fromBinary<Desc extends DescMessage>(
  table: MessageTable<Desc>,
  bytes: Uint8Array,
): MessageShape<Desc> {
  const message = filled(table, {});
  read(table, new Reader(bytes), message);
  return message as unknown as MessageShape<Desc>;
}

function read(table: MessageTable, reader: Reader, into: Fields): void {
  const { byNumber } = layoutOf(table);
  while (reader.more()) {
    const tag = reader.tag();
    const field = byNumber.get(tag >>> 3);
    const wireType = tag & 7;
    if (field === undefined) reader.skip(tag);
    else if (wireType === wireTypeOf(field)) put(field, reader, into);
    else if (wireType === lengthDelimited && isPacked(field)) {
      const outer = reader.enter();
      while (reader.more()) put(field, reader, into);
      reader.leave(outer);
    } else reader.skip(tag);
  }
}

/** Reads a value to its place. A message that comes in several pieces is put together, as protobuf says. */
function put(field: TableField, reader: Reader, into: Fields): void {
  const { localName, oneof } = field;
  if (field.isRepeated) {
    (into[localName] as unknown[]).push(readValue(field, reader, undefined));
  } else if (oneof) {
    const chosen = into[oneof.localName] as Chosen;
    const before = chosen.case === localName ? chosen.value : undefined;
    into[oneof.localName] = { case: localName, value: readValue(field, reader, before) };
  } else {
    into[localName] = readValue(field, reader, into[localName]);
  }
}

function readValue({ message, scalar }: TableField, reader: Reader, before: unknown): unknown {
  if (message) {
    const value = (before as Fields | undefined) ?? filled(message, {});
    const outer = reader.enter();
    read(message, reader, value);
    reader.leave(outer);
    return value;
  }
  return scalar === undefined ? reader.enum() : readScalar(reader, scalar);
}

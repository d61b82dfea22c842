/**
 * What a server needs to know of a protobuf message, as small tables (src/gen/tables): they cost nothing until a message
 * is first read or written, where loading the generated descriptors and their library holds a start for 25 ms and takes
 * 10 MiB. The messages themselves are those of the generated code: the same names, the same types.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import type { ScalarName } from "./scalars.ts";

export interface EnumTable {
  readonly kind: "enum";
  /** Numbers by their names. */
  readonly numbers: Readonly<Record<string, number>>;
}

export type FieldType = ScalarName | EnumTable | MessageTable;

/** Number and name as in the .proto file; "repeated", or the name of the oneof that it is in. */
export type FieldRow = readonly [number: number, name: string, type: FieldType, how?: string];

export interface MessageTable<Desc extends DescMessage = DescMessage> {
  readonly kind: "message";
  readonly typeName: string;
  /** A function, so that tables may name those that come later. */
  readonly rows: () => readonly FieldRow[];
  /** For the types only. */
  readonly desc?: Desc;
}

export type MethodKind = "unary" | "client_streaming" | "server_streaming" | "bidi_streaming";

export type MethodRow = readonly [name: string, input: MessageTable, output: MessageTable, kind: MethodKind];

export interface ServiceTable {
  readonly typeName: string;
  readonly rows: () => readonly MethodRow[];
}

/** A field, made from its row. */
export interface TableField {
  readonly number: number;
  /** As in the .proto file. */
  readonly name: string;
  /** As in TypeScript and in JSON. */
  readonly localName: string;
  readonly isRepeated: boolean;
  /** The oneof that it is in, by its names in the .proto file and in TypeScript. */
  readonly oneof: { readonly name: string; readonly localName: string } | undefined;
  /** One of these three. */
  readonly scalar: ScalarName | undefined;
  readonly enum: EnumTable | undefined;
  readonly message: MessageTable | undefined;
}

/** The fields of a message in order of their numbers. */
export interface Layout {
  readonly fields: readonly TableField[];
  readonly byNumber: ReadonlyMap<number, TableField>;
  /** Whether none of them is a message. */
  readonly isFlat: boolean;
}

/** A method, made from its row. */
export interface TableMethod {
  readonly name: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly input: MessageTable;
  readonly output: MessageTable;
  readonly kind: MethodKind;
}

export const methodsOf = ({ typeName, rows }: ServiceTable): TableMethod[] =>
  rows().map(([name, input, output, kind]) => ({ name, path: `/${typeName}/${name}`, input, output, kind }));

const layouts = new WeakMap<MessageTable, Layout>();

export function layoutOf(table: MessageTable): Layout {
  let layout = layouts.get(table);
  if (layout === undefined) {
    const fields = table.rows().map(fieldOf);
    const byNumber = new Map(fields.map((field) => [field.number, field]));
    layout = { fields, byNumber, isFlat: fields.every(({ message }) => !message) };
    layouts.set(table, layout);
  }
  return layout;
}

function fieldOf([number, name, type, how]: FieldRow): TableField {
  const isScalar = typeof type === "string";
  return {
    number,
    name,
    localName: camelCase(name),
    isRepeated: how === "repeated",
    oneof: how === undefined || how === "repeated" ? undefined : { name: how, localName: camelCase(how) },
    scalar: isScalar ? type : undefined,
    enum: !isScalar && type.kind === "enum" ? type : undefined,
    message: !isScalar && type.kind === "message" ? type : undefined,
  };
}

/** `range_end` is rangeEnd; what has no underscore stays as it is. */
const camelCase = (name: string): string =>
  name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/**
 * Protobuf messages described by small tables: a field's number and type under the name that the .proto file gives it.
 * The tables are all a client needs, cost nothing to load (the generated descriptors take 15 ms) and give the types too.
 *
 *     const leaseStatus = message({ ID: int64(1) });
 *     type LeaseStatus = MessageOf<typeof leaseStatus>;   // { ID: bigint }
 *
 * A decoded message has every field: zero where the sender left it out, undefined for a message or a member of a oneof.
 */
import type { ScalarName } from "../../codec/scalars.ts";

export type ScalarType = ScalarName | "enum";

export interface Field<T> {
  readonly number: number;
  readonly type: ScalarType | (() => MessageType<unknown>);
  readonly repeated: boolean;
  /** A member of a oneof: undefined is not there, and zero is a value. */
  readonly isOneof: boolean;
  /** For the types only. */
  readonly value?: T;
}

/** In order of their numbers, which is the order they are written in. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

export interface MessageType<T> {
  readonly fields: readonly (readonly [name: string, field: Field<unknown>])[];
  /** For the types only. */
  readonly value?: T;
}

type ValueOf<F> = F extends Field<infer T> ? T : never;
export type MessageFrom<F> = { -readonly [K in keyof F]: ValueOf<F[K]> };
/** What `decode` gives. */
export type MessageOf<M> = M extends MessageType<infer T> ? T : never;

/** What `encode` takes: any field may be missing. */
export type Init<T> = T extends Uint8Array | string | number | bigint | boolean | undefined
  ? T
  : T extends readonly (infer E)[]
    ? readonly Init<E>[]
    : { readonly [K in keyof T]?: Init<T[K]> | undefined };

export function message<F extends Fields>(fields: F): MessageType<MessageFrom<F>> {
  return { fields: Object.entries(fields) };
}

function scalar<T>(type: ScalarType): (number: number) => Field<T> {
  return (number) => ({ number, type, repeated: false, isOneof: false });
}

export const bytes: (number: number) => Field<Uint8Array> = scalar("bytes");
export const string: (number: number) => Field<string> = scalar("string");
export const bool: (number: number) => Field<boolean> = scalar("bool");
export const int64: (number: number) => Field<bigint> = scalar("int64");
export const uint64: (number: number) => Field<bigint> = scalar("uint64");
export const uint32: (number: number) => Field<number> = scalar("uint32");
/** An enum is its number. */
export const enumeration: (number: number) => Field<number> = scalar("enum");

/** A message inside; a function where it is only made later, or contains itself. */
export function inner<T>(
  number: number,
  type: MessageType<T> | (() => MessageType<T>),
): Field<T | undefined> {
  const get = (typeof type === "function" ? type : () => type) as () => MessageType<unknown>;
  return { number, type: get, repeated: false, isOneof: false };
}

export function list<T>(field: Field<T>): Field<Exclude<T, undefined>[]> {
  return { number: field.number, type: field.type, repeated: true, isOneof: false };
}

export function oneof<T>(field: Field<T>): Field<T | undefined> {
  return { number: field.number, type: field.type, repeated: false, isOneof: true };
}

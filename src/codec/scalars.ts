/** Scalar fields of protobuf messages that tables describe: what is left out, and how the others are read. */
import { noBytes, type Reader } from "./protowire-read.ts";

export type ScalarName = "bytes" | "string" | "bool" | "int64" | "uint64" | "uint32";

/** What a field without presence holds when the message does not have it. */
export const scalarDefaults: Readonly<Record<ScalarName, unknown>> = {
  bytes: noBytes,
  string: "",
  bool: false,
  int64: 0n,
  uint64: 0n,
  uint32: 0,
};

/** Whether a field without presence is left out of a message. */
export const isDefault = (value: unknown): boolean =>
  !value || (value instanceof Uint8Array && value.length === 0);

/** Bytes are a view into what is read. Throws a DecodeError. */
export function readScalar(reader: Reader, scalar: ScalarName): unknown {
  switch (scalar) {
    case "bytes":
      return reader.bytesField();
    case "string":
      return reader.string();
    case "bool":
      return reader.bool();
    case "int64":
      return reader.bigInt();
    case "uint64":
      return reader.bigUint();
    case "uint32":
      return reader.uint() >>> 0;
  }
}

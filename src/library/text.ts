/** Keys and values: bytes, or texts that stand for their UTF-8. */
export type Bytes = Uint8Array | string;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const toBytes = (value: Bytes): Uint8Array =>
  typeof value === "string" ? encoder.encode(value) : value;
export const toText = (value: Uint8Array): string => decoder.decode(value);

/**
 * Writing the Protobuf wire format into a buffer of the right size. Each message has a function for its size and one
 * that writes it; the latter are given a position and return the next one. Fields go in the order of their numbers and
 * defaults are left out, so that the bytes are those of protobuf-go.
 *
 * Numbers are safe integers (or the nearest double of a larger int64 that a client sent); a negative int64 takes ten
 * bytes. Tags are below 128 unless stated.
 */

const two32 = 0x1_0000_0000;
const maxSafe = BigInt(Number.MAX_SAFE_INTEGER);

/** Bytes that `writeVarint` takes. */
export function varintSize(value: number): number {
  if (value < 0) return 10;
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  if (value < 0x8_0000_0000) return 5;
  if (value < 0x400_0000_0000) return 6;
  if (value < 0x2_0000_0000_0000) return 7;
  if (value < 0x100_0000_0000_0000) return 8;
  return value < 0x8000_0000_0000_0000 ? 9 : 10;
}

export function writeVarint(buffer: Uint8Array, at: number, value: number): number {
  if (value < 0) return writeHalves(buffer, at, value >>> 0, Math.floor(value / two32) >>> 0);
  while (value > 0x7fff_ffff) {
    buffer[at++] = (value & 0x7f) | 0x80;
    value = Math.floor(value / 0x80);
  }
  while (value > 0x7f) {
    buffer[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  buffer[at++] = value;
  return at;
}

/** Bytes that `writeBigVarint` takes. */
export function bigVarintSize(value: bigint): number {
  if (value < 0n) return 10;
  if (value <= maxSafe) return varintSize(Number(value));
  if (value < 1n << 56n) return 8;
  return value < 1n << 63n ? 9 : 10;
}

/** A signed or unsigned 64-bit number. */
export function writeBigVarint(buffer: Uint8Array, at: number, value: bigint): number {
  if (value >= 0n && value <= maxSafe) return writeVarint(buffer, at, Number(value));
  return writeHalves(buffer, at, Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn));
}

function writeHalves(buffer: Uint8Array, at: number, low: number, high: number): number {
  while (high > 0) {
    buffer[at++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  return writeVarint(buffer, at, low);
}

// Fields with their tags. A default is left out: size 0, nothing written.

export function numberFieldSize(value: number): number {
  return value === 0 ? 0 : 1 + varintSize(value);
}

export function writeNumberField(buffer: Uint8Array, at: number, tag: number, value: number): number {
  if (value === 0) return at;
  buffer[at] = tag;
  return writeVarint(buffer, at + 1, value);
}

export function bigFieldSize(value: bigint): number {
  return value === 0n ? 0 : 1 + bigVarintSize(value);
}

export function writeBigField(buffer: Uint8Array, at: number, tag: number, value: bigint): number {
  if (value === 0n) return at;
  buffer[at] = tag;
  return writeBigVarint(buffer, at + 1, value);
}

export function boolFieldSize(value: boolean): number {
  return value ? 2 : 0;
}

export function writeBoolField(buffer: Uint8Array, at: number, tag: number, value: boolean): number {
  if (!value) return at;
  buffer[at] = tag;
  buffer[at + 1] = 1;
  return at + 2;
}

export function bytesFieldSize(value: Uint8Array): number {
  return value.length === 0 ? 0 : lengthFieldSize(value.length);
}

export function writeBytesField(buffer: Uint8Array, at: number, tag: number, value: Uint8Array): number {
  if (value.length === 0) return at;
  return writeBytes(buffer, writeLength(buffer, at, tag, value.length), value);
}

/** A message or bytes of `length` bytes, with tag and length, even when empty. */
export function lengthFieldSize(length: number): number {
  return 1 + varintSize(length) + length;
}

/** The tag and the length before such a field. */
export function writeLength(buffer: Uint8Array, at: number, tag: number, length: number): number {
  buffer[at] = tag;
  if (length < 0x80) {
    buffer[at + 1] = length;
    return at + 2;
  }
  return writeVarint(buffer, at + 1, length);
}

export function writeBytes(buffer: Uint8Array, at: number, value: Uint8Array): number {
  const { length } = value;
  // A call into the engine costs more than a short loop.
  if (length > 32) {
    buffer.set(value, at);
  } else {
    for (let i = 0; i < length; i++) buffer[at + i] = value[i]!;
  }
  return at + length;
}

/** UTF-8. A lone surrogate becomes the replacement character. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    let point = text.codePointAt(i)!;
    if (point > 0xffff) i++;
    else if (point >= 0xd800 && point < 0xe000) point = 0xfffd;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
    else if (point < 0x10000)
      bytes.push(0xe0 | (point >> 12), continuation(point, 6), continuation(point, 0));
    else
      bytes.push(
        0xf0 | (point >> 18),
        continuation(point, 12),
        continuation(point, 6),
        continuation(point, 0),
      );
  }
  return Uint8Array.from(bytes);
}

function continuation(point: number, shift: number): number {
  return 0x80 | ((point >> shift) & 0x3f);
}

/** Ends every encoder: a size and a writer that disagree would otherwise send garbage without a word. */
export function sealed(buffer: Uint8Array, at: number): Uint8Array {
  if (at !== buffer.length) throw new Error(`codec: wrote ${at} bytes of ${buffer.length}`);
  return buffer;
}

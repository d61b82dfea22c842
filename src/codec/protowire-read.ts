/**
 * Reading the Protobuf wire format, as strictly and as leniently as protobuf-go does: unknown fields are skipped
 * (groups too), a known field with another wire type is unknown, the last of several scalars wins, and whatever
 * cannot be read throws `DecodeError` with protobuf-go's words.
 *
 * A message is read by a loop of `while (reader.more()) switch (reader.tag())`; a tag is field number * 8 + wire type.
 * A message inside another is read with the same reader between `enter` and `leave`.
 */

/** Bytes that are no message. `message` is what protobuf-go says; `rpc` answers with Internal and this text. */
export class DecodeError extends Error {
  constructor(reason = "proto: cannot parse invalid wire-format data") {
    super(reason);
    this.name = "DecodeError";
  }
}

/** Messages nest at most this deep (protobuf-go: 10,000). */
export const messageDepthLimit = 1000;
/** Groups, which only unknown fields can have, nest at most this deep. */
const groupDepthLimit = 10_000;

/** What an absent `bytes` field decodes to. */
export const noBytes: Uint8Array = new Uint8Array(0);

const two32 = 0x1_0000_0000;

export class Reader {
  readonly bytes: Uint8Array;
  /** The next byte to read, and the end of the message that is being read. */
  at: number;
  end: number;
  #depth = 0;
  readonly #depthLimit: number;
  /** The halves of the last varint. */
  #low = 0;
  #high = 0;

  /** `depthLimit` is for who reads what another one wrapped, and so lies deeper than it did there. */
  constructor(bytes: Uint8Array, depthLimit = messageDepthLimit) {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
    this.#depthLimit = depthLimit;
  }

  /** Whether the message goes on. */
  more(): boolean {
    return this.at < this.end;
  }

  /** The tag of the next field. */
  tag(): number {
    const first = this.bytes[this.at]!;
    if (first < 0x80) {
      if (first < 8) throw new DecodeError();
      this.at++;
      return first;
    }
    this.#varint();
    const tag = this.#low >>> 0;
    if (this.#high !== 0 || tag < 8) throw new DecodeError();
    return tag;
  }

  /** uint64, as the nearest double. */
  uint(): number {
    if (this.at < this.end && this.bytes[this.at]! < 0x80) return this.bytes[this.at++]!;
    this.#varint();
    return this.#high === 0 ? this.#low >>> 0 : (this.#high >>> 0) * two32 + (this.#low >>> 0);
  }

  /** int64, as the nearest double. */
  int(): number {
    if (this.at < this.end && this.bytes[this.at]! < 0x80) return this.bytes[this.at++]!;
    this.#varint();
    return this.#high === 0 ? this.#low >>> 0 : this.#high * two32 + (this.#low >>> 0);
  }

  /** uint64 that is an index, a term or the like: an unsafe integer is an error, because rounding would corrupt. */
  safeUint(): number {
    const value = this.uint();
    if (value > Number.MAX_SAFE_INTEGER) throw new DecodeError("proto: integer above 2^53 - 1");
    return value;
  }

  /** uint64 with all its bits. */
  bigUint(): bigint {
    this.#varint();
    if (this.#high === 0) return BigInt(this.#low >>> 0);
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0);
  }

  /** int64 with all its bits. */
  bigInt(): bigint {
    this.#varint();
    if (this.#high === 0) return BigInt(this.#low >>> 0);
    return (BigInt(this.#high) << 32n) | BigInt(this.#low >>> 0);
  }

  /** An enum's value, as Go truncates it: int32. */
  enum(): number {
    this.#varint();
    return this.#low;
  }

  bool(): boolean {
    this.#varint();
    return (this.#low | this.#high) !== 0;
  }

  /** A view into the message, not a copy. */
  bytesField(): Uint8Array {
    const length = this.#length();
    if (length === 0) return noBytes;
    const at = this.at;
    this.at = at + length;
    return this.bytes.subarray(at, at + length);
  }

  string(): string {
    const length = this.#length();
    const end = this.at + length;
    const text = decodeUtf8(this.bytes, this.at, end);
    if (text === undefined) throw new DecodeError("string field contains invalid UTF-8");
    this.at = end;
    return text;
  }

  /** Begins a message inside this one. Give what it returns to `leave` when it is read to its end. */
  enter(): number {
    const length = this.#length();
    if (++this.#depth > this.#depthLimit) throw new DecodeError("proto: exceeded maximum recursion depth");
    const outerEnd = this.end;
    this.end = this.at + length;
    return outerEnd;
  }

  leave(outerEnd: number): void {
    this.#depth--;
    this.at = this.end;
    this.end = outerEnd;
  }

  /** What is left of the message, as a view. */
  rest(): Uint8Array {
    const at = this.at;
    this.at = this.end;
    return this.bytes.subarray(at, this.end);
  }

  /** Skips the value of an unknown field. */
  skip(tag: number): void {
    if ((tag & 7) === 3) this.#skipGroup(tag >>> 3);
    else this.#skipScalar(tag & 7);
  }

  #skipScalar(wireType: number): void {
    if (wireType === 0) this.#varint();
    else if (wireType === 1) this.#advance(8);
    else if (wireType === 2) this.#advance(this.#length());
    else if (wireType === 5) this.#advance(4);
    else throw new DecodeError();
  }

  #skipGroup(field: number): void {
    const open = [field];
    while (open.length > 0) {
      if (!this.more()) throw new DecodeError();
      const tag = this.tag();
      const wireType = tag & 7;
      if (wireType === 3) {
        if (open.push(tag >>> 3) > groupDepthLimit) throw new DecodeError();
      } else if (wireType === 4) {
        if (open.pop() !== tag >>> 3) throw new DecodeError();
      } else {
        this.#skipScalar(wireType);
      }
    }
  }

  #advance(count: number): void {
    if (count > this.end - this.at) throw new DecodeError();
    this.at += count;
  }

  #length(): number {
    const { at, end } = this;
    let length: number;
    if (at < end && this.bytes[at]! < 0x80) {
      length = this.bytes[at]!;
      this.at = at + 1;
    } else {
      length = this.uint();
    }
    if (length > end - this.at) throw new DecodeError();
    return length;
  }

  /** Reads up to ten bytes; `low` and `high` are int32 with the bits of the halves. */
  #varint(): void {
    const { bytes, end } = this;
    let at = this.at;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) throw new DecodeError();
      const byte = bytes[at++]!;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.at = at;
        this.#low = low;
        this.#high = 0;
        return;
      }
    }
    if (at >= end) throw new DecodeError();
    const middle = bytes[at++]!;
    low |= middle << 28;
    let high = (middle & 0x7f) >> 4;
    let last = middle;
    for (let shift = 3; last >= 0x80; shift += 7) {
      if (shift > 31 || at >= end) throw new DecodeError();
      last = bytes[at++]!;
      // Only one bit of the tenth byte is left.
      if (shift === 31 && last > 1) throw new DecodeError();
      high |= (last & 0x7f) << shift;
    }
    this.at = at;
    this.#low = low;
    this.#high = high;
  }
}

/** The text in bytes [at, end), or undefined if it is not UTF-8. By hand because TextDecoder is not of the language. */
function decodeUtf8(bytes: Uint8Array, at: number, end: number): string | undefined {
  let text = "";
  while (at < end) {
    const first = bytes[at++]!;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      continue;
    }
    const extra = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || at + extra > end) return undefined;
    let point = first & (0x3f >> extra);
    for (let i = 0; i < extra; i++) {
      const next = bytes[at++]!;
      if ((next & 0xc0) !== 0x80) return undefined;
      point = (point << 6) | (next & 0x3f);
    }
    const surrogate = point >= 0xd800 && point < 0xe000;
    const overlong = point < (extra === 3 ? 0x10000 : extra === 2 ? 0x800 : 0x80);
    if (surrogate || overlong || point > 0x10ffff) return undefined;
    text += String.fromCodePoint(point);
  }
  return text;
}

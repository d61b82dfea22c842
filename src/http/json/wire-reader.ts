/**
 * Reads the fields of a protobuf message that lies in several arrays, one after the other. Only a field that lies across
 * two of them is put together. The bytes are our own: what is malformed is a fault and not a refusal.
 */
import { assert } from "../../lib/assert.ts";

/** protobuf's numbers. */
const varintType = 0;
const lengthDelimitedType = 2;

const empty = new Uint8Array(0);

export class WireReader {
  readonly #parts: readonly Uint8Array[];
  #nextPart = 0;
  #bytes: Uint8Array = empty;
  #at = 0;
  /** Of a varint: its value, in two halves. */
  #low = 0;
  #high = 0;

  fieldNumber = 0;
  /** The value of a length-delimited field. */
  bytes: Uint8Array = empty;

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts;
  }

  /** Goes to the next field; false at the end. */
  next(): boolean {
    while (this.#parts[this.#nextPart]?.length === 0) this.#nextPart++;
    if (this.#at === this.#bytes.length) {
      if (this.#nextPart === this.#parts.length) return false;
      this.#need(1);
    }
    this.#varint();
    const type = this.#low & 7;
    this.fieldNumber = this.#low >>> 3;
    this.bytes = empty;
    if (type === varintType) this.#varint();
    else {
      assert(type === lengthDelimitedType, "fields are varints or have a length");
      this.#varint();
      const length = this.#low;
      this.#need(length);
      this.bytes = this.#bytes.subarray(this.#at, this.#at + length);
      this.#at += length;
      this.#low = length;
      this.#high = 0;
    }
    return true;
  }

  /** Whether the value is 0, false, or empty. */
  get isZero(): boolean {
    return this.#low === 0 && this.#high === 0;
  }

  /** The value as an unsigned number. */
  get varint(): bigint {
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0);
  }

  /** The value as the digits of a signed 64-bit number. */
  get signedText(): string {
    if (this.#high >= 0 && this.#high < 0x20_0000) {
      return String(this.#high * 0x1_0000_0000 + (this.#low >>> 0));
    }
    return String(BigInt.asIntN(64, this.varint));
  }

  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      if (this.#at === this.#bytes.length) this.#need(1);
      const byte = this.#bytes[this.#at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) break;
      assert(shift < 63, "a number is too long");
    }
    this.#low = low;
    this.#high = high;
  }

  /** Puts so many parts together that `count` bytes lie in one array. */
  #need(count: number): void {
    let have = this.#bytes.length - this.#at;
    if (have >= count) return;
    const pieces = [this.#bytes.subarray(this.#at)];
    while (have < count) {
      const part = this.#parts[this.#nextPart++];
      assert(part !== undefined, "an answer is cut off");
      pieces.push(part);
      have += part.length;
    }
    const filled = pieces.filter(({ length }) => length > 0);
    this.#bytes = filled.length === 1 ? filled[0]! : Buffer.concat(filled);
    this.#at = 0;
  }
}

/**
 * A generation as one buffer, to be handed (not copied) to the writer's thread.
 *
 *   header   8 numbers (float64)
 *   rows     fixed width, 48 bytes each: main, create, version (float64), sub, key length, value length (uint32),
 *            lease (low and high half), 4 bytes unused
 *   changes  fixed width, 16 bytes each: bucket length, key length, value length, 1 to delete (uint32)
 *   bytes    key and value of each row, then bucket, key and value of each change, with nothing between them
 *
 * Fixed-width numbers in typed arrays because that is what the main thread writes quickest: it has better things to do.
 */
import type { RaftIndex, Revision, Term } from "../../lib/ids.ts";
import type { Generation } from "../backend.ts";

const headerFloats = 8;
const rowFloats = 6;
const changeWords = 4;

/** Room that a buffer gets beyond what it needs, so that the next generation, a little larger, can use it again. */
const slack = 1.25;

/** Writes `generation` into `reuse` if it is large enough, else into a new buffer. */
export function encodeGeneration(generation: Generation, reuse?: ArrayBuffer): ArrayBuffer {
  const { versions, meta } = generation;
  const rowsAt = headerFloats * 8;
  const changesAt = rowsAt + versions.length * rowFloats * 8;
  let size = changesAt + meta.length * changeWords * 4;
  const bytesAt = size;
  for (let i = 0; i < versions.length; i++) size += versions[i]!.key.length + versions[i]!.value.length;
  for (const change of meta) size += change.bucket.length + change.key.length + (change.value?.length ?? 0);

  const buffer =
    reuse && reuse.byteLength >= size ? reuse : new ArrayBuffer(Math.ceil((size * slack) / 64) * 64);
  const floats = new Float64Array(buffer);
  const words = new Uint32Array(buffer);
  const bytes = new Uint8Array(buffer);
  floats[0] = versions.length;
  floats[1] = meta.length;
  floats[2] = generation.appliedIndex;
  floats[3] = generation.appliedTerm;
  floats[4] = generation.revision;
  floats[5] = generation.compactRevision;
  floats[6] = size;
  floats[7] = generation.isImport ? (generation.importGoesOn ? 2 : 1) : 0;

  let at = bytesAt;
  for (let i = 0; i < versions.length; i++) {
    const { key, value, modRevision, createRevision, version, sub, lease } = versions[i]!;
    const float = headerFloats + i * rowFloats;
    floats[float] = modRevision;
    floats[float + 1] = createRevision;
    floats[float + 2] = version;
    const word = float * 2 + 6;
    words[word] = sub;
    words[word + 1] = key.length;
    words[word + 2] = value.length;
    if (lease === 0n) {
      words[word + 3] = 0;
      words[word + 4] = 0;
    } else {
      words[word + 3] = Number(BigInt.asUintN(32, lease));
      words[word + 4] = Number(BigInt.asUintN(32, lease >> 32n));
    }
    at = writeString(bytes, at, key);
    bytes.set(value, at);
    at += value.length;
  }
  let word = changesAt / 4;
  for (const { bucket, key, value } of meta) {
    words[word] = bucket.length;
    words[word + 1] = key.length;
    words[word + 2] = value?.length ?? 0;
    words[word + 3] = value === undefined ? 1 : 0;
    word += changeWords;
    at = writeString(bytes, writeString(bytes, at, bucket), key);
    if (value) bytes.set(value, at);
    at += value?.length ?? 0;
  }
  return buffer;
}

/** A string of units below 256 (keys are; bucket names are ASCII) as bytes. */
function writeString(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** Reads what encodeGeneration wrote. Rows are looked at by number, without an object for each. */
export class GenerationReader {
  readonly rowCount: number;
  readonly changeCount: number;
  readonly appliedIndex: RaftIndex;
  readonly appliedTerm: Term;
  readonly revision: Revision;
  readonly compactRevision: Revision;
  readonly isImport: boolean;
  readonly importGoesOn: boolean;
  /** Bytes in use. */
  readonly size: number;
  readonly #floats: Float64Array;
  readonly #words: Uint32Array;
  readonly #bytes: Buffer;
  /** Where the key of each row begins. */
  readonly #keyAt: Uint32Array;
  #changesAt: number;

  constructor(buffer: ArrayBuffer) {
    this.#floats = new Float64Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#bytes = Buffer.from(buffer);
    this.rowCount = this.#floats[0]!;
    this.changeCount = this.#floats[1]!;
    this.appliedIndex = this.#floats[2]! as RaftIndex;
    this.appliedTerm = this.#floats[3]! as Term;
    this.revision = this.#floats[4]! as Revision;
    this.compactRevision = this.#floats[5]! as Revision;
    this.size = this.#floats[6]!;
    this.isImport = this.#floats[7] !== 0;
    this.importGoesOn = this.#floats[7] === 2;
    this.#changesAt = (headerFloats + this.rowCount * rowFloats) * 8;
    this.#keyAt = new Uint32Array(this.rowCount + 1);
    let at = this.#changesAt + this.changeCount * changeWords * 4;
    for (let i = 0; i < this.rowCount; i++) {
      this.#keyAt[i] = at;
      at += this.#word(i, 1) + this.#word(i, 2);
    }
    this.#keyAt[this.rowCount] = at;
  }

  #word(row: number, which: number): number {
    return this.#words[(headerFloats + row * rowFloats) * 2 + 6 + which]!;
  }

  main(row: number): number {
    return this.#floats[headerFloats + row * rowFloats]!;
  }

  createRevision(row: number): number {
    return this.#floats[headerFloats + row * rowFloats + 1]!;
  }

  version(row: number): number {
    return this.#floats[headerFloats + row * rowFloats + 2]!;
  }

  sub(row: number): number {
    return this.#word(row, 0);
  }

  /** The key as a binary string, to sort and compare by. */
  keyText(row: number): string {
    const at = this.#keyAt[row]!;
    return this.#bytes.toString("latin1", at, at + this.#word(row, 1));
  }

  /** A view of the buffer. */
  key(row: number): Uint8Array {
    const at = this.#keyAt[row]!;
    return this.#bytes.subarray(at, at + this.#word(row, 1));
  }

  /** A view of the buffer. */
  value(row: number): Uint8Array {
    const at = this.#keyAt[row]! + this.#word(row, 1);
    return this.#bytes.subarray(at, at + this.#word(row, 2));
  }

  /** As SQLite keeps it: eight bytes, big-endian, or null for none. */
  lease(row: number): Uint8Array | null {
    const low = this.#word(row, 3);
    const high = this.#word(row, 4);
    if (low === 0 && high === 0) return null;
    const bytes = new Uint8Array(8);
    for (let i = 0; i < 4; i++) {
      bytes[i] = high >>> (24 - i * 8);
      bytes[4 + i] = low >>> (24 - i * 8);
    }
    return bytes;
  }

  *changes(): Generator<{ bucket: string; key: Uint8Array; value: Uint8Array | undefined }, void, undefined> {
    let at = this.#keyAt[this.rowCount]!;
    for (let i = 0; i < this.changeCount; i++) {
      const word = this.#changesAt / 4 + i * changeWords;
      const keyAt = at + this.#words[word]!;
      const valueAt = keyAt + this.#words[word + 1]!;
      const end = valueAt + this.#words[word + 2]!;
      yield {
        bucket: this.#bytes.toString("latin1", at, keyAt),
        key: this.#bytes.subarray(keyAt, valueAt),
        value: this.#words[word + 3] === 1 ? undefined : this.#bytes.subarray(valueAt, end),
      };
      at = end;
    }
  }
}

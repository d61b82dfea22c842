/** Writes the fields of a protobuf message one after the other, messages inside it included. */
import { bigVarintSize, varintSize, writeBigVarint, writeVarint } from "../../codec/protowire-write.ts";

export class WireWriter {
  /** Of the message that is being written, and, before it, of those that it is in. */
  readonly #open: Uint8Array[][] = [[]];

  /** Of any integer's type. */
  varint(field: number, value: bigint): void {
    const tag = field * 8;
    const piece = new Uint8Array(varintSize(tag) + bigVarintSize(value));
    writeBigVarint(piece, writeVarint(piece, 0, tag), value);
    this.#open.at(-1)!.push(piece);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#open.at(-1)!.push(head(field, value.length), value);
  }

  /** What follows until `end` is a message inside this one. */
  begin(): void {
    this.#open.push([]);
  }

  end(field: number): void {
    const message = joined(this.#open.pop()!);
    this.bytes(field, message);
  }

  finish(): Uint8Array {
    return joined(this.#open[0]!);
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Tag and length of a field that has a length. */
function head(field: number, length: number): Uint8Array {
  const tag = field * 8 + 2;
  const piece = new Uint8Array(varintSize(tag) + varintSize(length));
  writeVarint(piece, writeVarint(piece, 0, tag), length);
  return piece;
}

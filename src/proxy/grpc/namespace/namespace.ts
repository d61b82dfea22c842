/**
 * `--namespace`: a prefix that is put before the keys in requests and taken off those in answers, in the bytes
 * themselves, so that everything else of a message stays as it was, also what this version does not know.
 */
import { prefixEnd } from "../../../client/prefix-end.ts";
import { Reader } from "../../../codec/protowire-read.ts";
import { varintSize, writeVarint } from "../../../codec/protowire-write.ts";
import { errors } from "../../../errors/table.ts";
import { assert } from "../../../lib/assert.ts";
import { finish, type Steps } from "../../../lib/steps.ts";
import type { KeyEdit, Shape } from "./shapes.ts";

/** How many fields are edited before others may have their turn. */
const fieldsPerStep = 256;
/** How many pieces of a message are joined into one. */
const piecesMax = 256;

export class Namespace {
  readonly #prefix: Buffer;
  readonly #end: Uint8Array;

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix);
    this.#end = prefixEnd(this.#prefix);
  }

  /** Throws etcd's error for a request without a key that needs one, and a DecodeError for what is no message. */
  edit(message: Uint8Array, shape: Shape): Uint8Array {
    const parts = finish(this.editLarge(message, shape));
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** The same in steps; the parts one after the other are the message. */
  *editLarge(message: Uint8Array, shape: Shape): Steps<readonly Uint8Array[]> {
    const pieces = new Pieces();
    yield* this.#edit(new Reader(message), shape, pieces);
    return pieces.joined();
  }

  *#edit(reader: Reader, shape: Shape, pieces: Pieces): Steps<void> {
    let from = reader.at;
    let edits = 0;
    let hasKey = false;
    while (reader.more()) {
      const start = reader.at;
      const tag = reader.tag();
      const field = shape.fields.get(tag);
      if (field === undefined) {
        reader.skip(tag);
        continue;
      }
      pieces.push(reader.bytes.subarray(from, start));
      if (typeof field === "string") {
        const value = reader.bytesField();
        if (field === "key") hasKey = value.length > 0;
        const edited = this.#editKey(value, field);
        if (edited !== undefined) pieces.pushField(tag, [edited], edited.length);
      } else {
        const outer = reader.enter();
        const inner = new Pieces();
        yield* this.#edit(reader, field, inner);
        reader.leave(outer);
        pieces.pushField(tag, inner.joined(), inner.length);
      }
      from = reader.at;
      if (++edits % fieldsPerStep === 0) yield;
    }
    pieces.push(reader.bytes.subarray(from, reader.end));
    if (shape.needsKey && !hasKey) throw errors.emptyKey();
  }

  #editKey(value: Uint8Array, edit: KeyEdit): Uint8Array | undefined {
    const prefix = this.#prefix;
    if (edit === "key") return Buffer.concat([prefix, value]);
    if (edit === "end") {
      if (value.length === 0) return value;
      return value.length === 1 && value[0] === 0 ? this.#end : Buffer.concat([prefix, value]);
    }
    const isOurs = value.length >= prefix.length && prefix.equals(value.subarray(0, prefix.length));
    if (isOurs) return value.subarray(prefix.length);
    assert(edit === "stripOrDrop", "an answer has a key of another namespace");
    return undefined;
  }

  /** A range of keys as it is behind the proxy. An empty key stands for the first of the namespace. */
  range(key: Uint8Array, rangeEnd: Uint8Array): { key: Uint8Array; rangeEnd: Uint8Array } {
    return { key: this.#editKey(key, "key")!, rangeEnd: this.#editKey(rangeEnd, "end")! };
  }
}

/** A message that is being put together. */
class Pieces {
  #list: Uint8Array[] = [];
  readonly #full: Uint8Array[] = [];
  length = 0;

  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#list.push(piece);
    this.length += piece.length;
    if (this.#list.length >= piecesMax) {
      this.#full.push(Buffer.concat(this.#list));
      this.#list = [];
    }
  }

  pushField(tag: number, body: readonly Uint8Array[], length: number): void {
    const head = new Uint8Array(varintSize(tag) + varintSize(length));
    writeVarint(head, writeVarint(head, 0, tag), length);
    this.push(head);
    for (const piece of body) this.push(piece);
  }

  /** At least one, which may be empty. */
  joined(): readonly Uint8Array[] {
    return [...this.#full, Buffer.concat(this.#list)];
  }
}

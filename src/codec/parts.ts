/**
 * Answers too large for one pass and one buffer: a list of buffers that one after the other are the message, made in
 * steps of about 64 KiB so that nobody holds the event loop.
 */
import type { Steps } from "../lib/steps.ts";
import { keyValueFieldSize, writeKeyValueField } from "./key-value.ts";
import type { KeyValue } from "./kv.ts";
import { noBytes } from "./protowire-read.ts";
import { sealed, varintSize, writeLength } from "./protowire-write.ts";

const partBytes = 64 * 1024;
/** An answer of less weight is encoded at once, in well under a millisecond. */
export const weightAtOnce = 256 * 1024;
const rowWeight = 256;

/** What encoding these rows costs, roughly in bytes; stops counting when it is clear that it is too much. */
export function rowsWeight(kvs: readonly KeyValue[]): number {
  let weight = kvs.length * rowWeight;
  for (let i = 0; i < kvs.length && weight <= weightAtOnce; i++) weight += kvs[i]!.value.length;
  return weight;
}

export class Parts {
  readonly buffers: Uint8Array[] = [];
  /** Bytes in all buffers so far. */
  length = 0;

  push(buffer: Uint8Array): void {
    this.buffers.push(buffer);
    this.length += buffer.length;
  }

  /** Begins a message field whose length is not known yet. Give what it returns to `close` when its body is there. */
  open(): { readonly index: number; readonly start: number } {
    return { index: this.buffers.push(noBytes) - 1, start: this.length };
  }

  close(tag: number, field: { readonly index: number; readonly start: number }): void {
    const bodyLength = this.length - field.start;
    const head = new Uint8Array(1 + varintSize(bodyLength));
    this.buffers[field.index] = sealed(head, writeLength(head, 0, tag, bodyLength));
    this.length += head.length;
  }

  /** A repeated KeyValue field, each with `tag`. */
  *rows(tag: number, kvs: readonly KeyValue[]): Steps<void> {
    let first = 0;
    while (first < kvs.length) {
      let size = 0;
      let next = first;
      while (next < kvs.length && size < partBytes) size += keyValueFieldSize(kvs[next++]!);
      const buffer = new Uint8Array(size);
      let at = 0;
      for (; first < next; first++) at = writeKeyValueField(buffer, at, tag, kvs[first]!);
      this.push(sealed(buffer, at));
      yield;
    }
  }
}

/**
 * A stream of bytes in chunks of one size. A page that is no longer than one lies inside a chunk, since chunks begin at
 * page boundaries: it is built in place.
 */
import { pageBytes } from "./format.ts";

/** A multiple of the page size. */
export const chunkBytes = 64 * 1024;

export class ChunkWriter {
  #chunk = new Uint8Array(0);
  #view = new DataView(this.#chunk.buffer);
  #at = 0;
  #full: Uint8Array[] = [];

  /** The chunk that the next bytes go into, and where. Valid until `skip`, `append` or `padToPage`. */
  get target(): { readonly bytes: Uint8Array; readonly view: DataView; readonly at: number } {
    if (this.#at === this.#chunk.length) this.#begin();
    return { bytes: this.#chunk, view: this.#view, at: this.#at };
  }

  /** Counts bytes as written that were put into `target`; they do not go beyond its chunk. */
  skip(count: number): void {
    this.#at += count;
  }

  append(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const { bytes: chunk, at } = this.target;
      const count = Math.min(bytes.length - done, chunk.length - at);
      chunk.set(bytes.subarray(done, done + count), at);
      this.#at += count;
      done += count;
    }
  }

  /** Zeros up to the next page. */
  padToPage(): void {
    this.#at = Math.ceil(this.#at / pageBytes) * pageBytes;
  }

  /** The chunks that are full, which are the caller's from now on. */
  takeFull(): Uint8Array[] {
    const full = this.#full;
    if (this.#at === this.#chunk.length && this.#at > 0) {
      full.push(this.#chunk);
      this.#reset();
    }
    this.#full = [];
    return full;
  }

  /** What is left at the end, if anything. */
  takeRest(): Uint8Array[] {
    const rest = this.takeFull();
    if (this.#at > 0) rest.push(this.#chunk.subarray(0, this.#at));
    this.#reset();
    return rest;
  }

  #begin(): void {
    if (this.#at > 0) this.#full.push(this.#chunk);
    // Not one that was used before: whoever took it may still be sending it.
    this.#chunk = new Uint8Array(chunkBytes);
    this.#view = new DataView(this.#chunk.buffer);
    this.#at = 0;
  }

  #reset(): void {
    this.#chunk = new Uint8Array(0);
    this.#view = new DataView(this.#chunk.buffer);
    this.#at = 0;
  }
}

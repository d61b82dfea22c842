/**
 * Reads pieces of a file through a small cache of blocks: pages that follow each other, as those of a bucket mostly do,
 * then cost one read for sixteen of them.
 */
import type { DiskFile } from "../lib/disk.ts";

const blockBytes = 64 * 1024;
/** 4 MiB. A walk over a tree comes back to the pages above the leaf it is at, and to nothing else. */
const blocksMax = 64;

export class BlockCache {
  readonly #file: DiskFile;
  readonly #sizeBytes: number;
  /** Oldest first. */
  readonly #blocks = new Map<number, Uint8Array>();

  constructor(file: DiskFile, sizeBytes: number) {
    this.#file = file;
    this.#sizeBytes = sizeBytes;
  }

  /** The bytes if no read is needed for them. What is given is never overwritten. The range lies in the file. */
  peek(position: number, length: number): Uint8Array | undefined {
    const at = Math.floor(position / blockBytes);
    const block = this.#blocks.get(at);
    if (block === undefined) return undefined;
    const offset = position - at * blockBytes;
    return offset + length <= block.length ? block.subarray(offset, offset + length) : undefined;
  }

  /** The same with the read. Rejects with the system's error, or with one that says that the file is shorter now. */
  async read(position: number, length: number): Promise<Uint8Array> {
    const at = Math.floor(position / blockBytes);
    const offset = position - at * blockBytes;
    if (offset + length > blockBytes) return await this.#readFile(position, length);
    const start = at * blockBytes;
    const block = await this.#readFile(start, Math.min(blockBytes, this.#sizeBytes - start));
    this.#blocks.delete(at);
    this.#blocks.set(at, block);
    if (this.#blocks.size > blocksMax) this.#blocks.delete(this.#blocks.keys().next().value!);
    return block.subarray(offset, offset + length);
  }

  async #readFile(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    const count = await this.#file.read(bytes, position);
    if (count < length) throw new Error(`the file ended at offset ${position + count} while it was read`);
    return bytes;
  }
}

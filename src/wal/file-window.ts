/** A file seen through a window that moves forward: what has been read ahead is not read twice. */
import type { DiskFile } from "../lib/disk.ts";
import { explained } from "./wal.ts";

/** What one read asks for. Decoding it takes less than a millisecond, and a few while the code is still cold: after
 * each read the event loop gets its turn. */
const readBytes = 256 * 1024;

export class FileWindow {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #file: DiskFile;
  /** What the window is made of, and how much of it is in use. */
  #buffer = new Uint8Array(0);
  #bytes = this.#buffer;
  #from = 0;
  #pinned = false;

  private constructor(file: DiskFile, path: string, sizeBytes: number) {
    this.#file = file;
    this.path = path;
    this.sizeBytes = sizeBytes;
  }

  static async over(file: DiskFile, path: string): Promise<FileWindow> {
    return new FileWindow(file, path, await explained("read", path, file.size()));
  }

  /** The bytes from `position` on, as many as asked for or as there are up to the end of the file. */
  async bytes(position: number, count: number): Promise<Uint8Array> {
    const end = Math.min(position + count, this.sizeBytes);
    const start = position - this.#from;
    if (start < 0 || end - this.#from > this.#bytes.length) await this.#move(position, end);
    return this.#bytes.subarray(position - this.#from, Math.max(end, position) - this.#from);
  }

  /** Somebody keeps views into what `bytes` gave: it is not used again. */
  pin(): void {
    this.#pinned = true;
  }

  async #move(position: number, end: number): Promise<void> {
    const count = Math.min(Math.max(end - position, readBytes), this.sizeBytes - position);
    const old = this.#bytes;
    const start = position - this.#from;
    const known = start >= 0 && start < old.length ? old.subarray(start, start + count) : old.subarray(0, 0);
    if (this.#pinned || count > this.#buffer.length) {
      this.#buffer = new Uint8Array(Math.max(count, Math.min(readBytes, this.sizeBytes)));
      this.#pinned = false;
    }
    const next = this.#buffer.subarray(0, count);
    next.set(known);
    this.#bytes = next;
    this.#from = position;
    const missing = next.subarray(known.length);
    if (missing.length === 0) return;
    const got = await explained("read", this.path, this.#file.read(missing, position + known.length));
    if (got !== missing.length) throw new Error(`wal: ${this.path} became shorter while it was read`);
  }
}

/** Key files in memory, which a test changes. */
import type { KeyFiles } from "../key-files.ts";

export class MemoryFiles implements KeyFiles {
  readonly #contents = new Map<string, Uint8Array>();
  readonly #watchers = new Set<{ readonly paths: readonly string[]; readonly changed: () => void }>();

  constructor(contents: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(contents)) this.#contents.set(path, Buffer.from(text));
  }

  get watched(): number {
    return this.#watchers.size;
  }

  /** Writes a file and tells those who watch it. */
  write(path: string, text: string): void {
    this.#contents.set(path, Buffer.from(text));
    for (const { paths, changed } of this.#watchers) if (paths.includes(path)) changed();
  }

  read(path: string): Promise<Uint8Array> {
    const bytes = this.#contents.get(path);
    return bytes ? Promise.resolve(bytes) : Promise.reject(new Error(`ENOENT: ${path}`));
  }

  watch(paths: readonly string[], changed: () => void): { close(): void } {
    const watcher = { paths, changed };
    this.#watchers.add(watcher);
    return { close: () => void this.#watchers.delete(watcher) };
  }
}

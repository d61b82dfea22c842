/** What tokens need of the machine's files. */
export interface KeyFiles {
  /** All of a file. Rejects with an error of `node:fs`. */
  read(path: string): Promise<Uint8Array>;
  /** Calls `changed` after any of the files has changed, appeared or gone, until it is closed. */
  watch(paths: readonly string[], changed: () => void): { close(): void };
}

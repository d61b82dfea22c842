/**
 * Files as something that is handed in. The server runs on the machine's disk (`runtime/disk.ts`), tests and the
 * simulation on one in memory that loses, tears and refuses what a real one may (`lib/testing/fault-disk.ts`).
 *
 * Only what a durable log needs is here. Everything is a promise: nothing of it may happen on the event loop.
 * Errors are those of `node:fs`, with a `code` such as `ENOSPC`.
 */
export interface Disk {
  /** The names in a folder, in no order. Rejects with ENOENT when there is no such folder. */
  list(dir: string): Promise<string[]>;
  /** Makes a folder and its parents, durably; nothing happens if it exists. */
  makeDir(dir: string): Promise<void>;
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** Replaces `to`. Durable only after `syncDir`. Neither name may be open (Windows refuses that). */
  rename(from: string, to: string): Promise<void>;
  /** Durable only after `syncDir`. */
  remove(path: string): Promise<void>;
  /** Makes the names in a folder durable: what was created, renamed or removed in it. */
  syncDir(dir: string): Promise<void>;
}

/** "read": it exists and is not written. "write": it exists; read and write. "create": new and empty; read and write. */
export type OpenMode = "read" | "write" | "create";

export interface DiskFile {
  size(): Promise<number>;
  /** Fills `into` from `position` on. Gives the bytes read: fewer than asked for only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes`, which must not change meanwhile. After a rejection any part of them may be there. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** The same, and resolves only when the bytes, and a size that includes them, would survive a loss of power. */
  writeDurably(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes what was written, and the size, durable (fdatasync). */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}

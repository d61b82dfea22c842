/**
 * A log file that begins anew when it is full (`--enable-log-rotation`), with the names and limits that etcd's have: the
 * full file becomes `etcd-2006-01-02T15-04-05.000.log`, may be compressed, and goes when there are too many or it is too
 * old. Changing files is three short calls, made at once; what takes time (compressing) does not hold anybody up.
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
} from "node:fs";
import { readdir, rename, unlink } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

export interface LogRotation {
  /** A file does not get larger than this. */
  readonly maxBytes: number;
  /** Files that were full before so many days go. 0: none. */
  readonly maxAgeDays: number;
  /** So many full files stay. 0: all. */
  readonly maxBackups: number;
  /** Whether the time in the names is local; UTC otherwise. */
  readonly localTime: boolean;
  readonly compress: boolean;
}

const dayMs = 24 * 60 * 60 * 1000;
const compressed = ".gz";
const unfinished = ".part";
/** Only its owner may read a new log, as with etcd. */
const newFileMode = 0o600;

export class RotatingFile {
  fd: number;
  readonly #path: string;
  readonly #rotation: LogRotation;
  readonly #wallMs: () => number;
  #sizeBytes: number;
  /** Removing and compressing old files. Never rejects. */
  #tidying: Promise<void> = Promise.resolve();

  /** Opens `path` to append to it. Throws the system's error. */
  constructor(path: string, rotation: LogRotation, wallMs: () => number) {
    this.#path = path;
    this.#rotation = rotation;
    this.#wallMs = wallMs;
    mkdirSync(dirname(path), { recursive: true });
    this.fd = openSync(path, "a", newFileMode);
    this.#sizeBytes = fstatSync(this.fd).size;
    this.#tidyLater();
  }

  /** Whether so many bytes may still go into this file. An empty one takes anything. */
  hasRoom(bytes: number): boolean {
    return this.#sizeBytes === 0 || this.#sizeBytes + bytes <= this.#rotation.maxBytes;
  }

  /** So many bytes are about to be written. */
  grow(bytes: number): void {
    this.#sizeBytes += bytes;
  }

  /** Begins a new file. If that fails, the log goes on in the old one, until as much again is in it. */
  rotate(): void {
    const backup = this.#backupName();
    let next: number;
    try {
      next = this.#exchange(backup);
    } catch {
      this.#sizeBytes = 0;
      return;
    }
    closeSync(this.fd);
    this.fd = next;
    this.#sizeBytes = fstatSync(next).size;
    this.#tidyLater();
  }

  /** Gives the full file its other name, and opens a new one under the first. Throws the system's error. */
  #exchange(backup: string): number {
    const { mode } = statSync(this.#path, { throwIfNoEntry: false }) ?? { mode: newFileMode };
    let isMoved = true;
    try {
      renameSync(this.#path, backup);
    } catch {
      // Somebody has taken the file away: then there is nothing to keep.
      isMoved = false;
    }
    try {
      return openSync(this.#path, "a", mode & 0o777);
    } catch (error) {
      if (isMoved) renameSync(backup, this.#path);
      throw error;
    }
  }

  /** Resolves when old files are removed and compressed as they should be. */
  tidied(): Promise<void> {
    return this.#tidying;
  }

  close(): void {
    closeSync(this.fd);
  }

  get #prefix(): string {
    return `${basename(this.#path, extname(this.#path))}-`;
  }

  #backupName(): string {
    for (let atMs = Math.floor(this.#wallMs()); ; atMs++) {
      const name = `${this.#prefix}${this.#format(atMs)}${extname(this.#path)}`;
      const path = join(dirname(this.#path), name);
      if (!existsSync(path) && !existsSync(path + compressed)) return path;
    }
  }

  #offsetMs(atMs: number): number {
    return this.#rotation.localTime ? -new Date(atMs).getTimezoneOffset() * 60_000 : 0;
  }

  #format(atMs: number): string {
    return new Date(atMs + this.#offsetMs(atMs)).toISOString().replaceAll(":", "-").replace("Z", "");
  }

  /** When a file with this name was full; undefined if it is none of ours. */
  #timeOf(name: string): number | undefined {
    const extension = extname(this.#path);
    const plain = name.endsWith(compressed) ? name.slice(0, -compressed.length) : name;
    if (!plain.startsWith(this.#prefix) || !plain.endsWith(extension)) return undefined;
    const text = plain.slice(this.#prefix.length, plain.length - extension.length);
    const match = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(text);
    if (!match) return undefined;
    const shownMs = Date.parse(`${match[1]}T${match[2]}:${match[3]}:${match[4]}Z`);
    return Number.isNaN(shownMs) ? undefined : shownMs - this.#offsetMs(shownMs);
  }

  #tidyLater(): void {
    this.#tidying = this.#tidying.then(() => this.#tidy()).catch(() => {});
  }

  async #tidy(): Promise<void> {
    const { maxAgeDays, maxBackups, compress } = this.#rotation;
    if (maxAgeDays === 0 && maxBackups === 0 && !compress) return;
    const dir = dirname(this.#path);
    const backups = (await readdir(dir))
      .map((name) => ({ name, atMs: this.#timeOf(name) }))
      .filter((file): file is { name: string; atMs: number } => file.atMs !== undefined)
      .sort((a, b) => b.atMs - a.atMs);
    const oldestMs = maxAgeDays > 0 ? this.#wallMs() - maxAgeDays * dayMs : Number.NEGATIVE_INFINITY;
    for (const [at, { name, atMs }] of backups.entries()) {
      const path = join(dir, name);
      if ((maxBackups > 0 && at >= maxBackups) || atMs < oldestMs) await unlink(path);
      else if (compress && !name.endsWith(compressed)) await gzip(path);
    }
  }
}

/** A file is there under one of its names at any time. */
async function gzip(path: string): Promise<void> {
  const { mode } = statSync(path);
  const part = path + compressed + unfinished;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(part, { mode: mode & 0o777 }));
  await rename(part, path + compressed);
  await unlink(path);
}

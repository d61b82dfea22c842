/**
 * Writes the log: to stderr, stdout or files, in order, without holding up the event loop. Lines gather while a write
 * is under way and leave with the next one. A reader that does not keep up (a stopped terminal, a full pipe) costs
 * lines, which are counted, and never memory or time.
 */
import { closeSync, openSync, write, writeSync } from "node:fs";
import type { LogSink } from "../lib/logger.ts";
import { type LogRotation, RotatingFile } from "./rotating-file.ts";
import { preciseWallMs } from "./wall-clock.ts";

/** For one output; past it, lines are dropped. */
export const queuedBytesMax = 4 * 1024 * 1024;
/** How long `flushSync` tries, all in all, when an output takes nothing. */
const flushSyncMsMax = 1_000;
const retryMs = 5;

export interface LogOutput extends LogSink {
  /** Lines that were dropped so far. */
  readonly droppedLines: number;
  /** Resolves when all that was written so far is out, or cannot be. */
  flush(): Promise<void>;
  /** The same at once, holding up everything else. For the end of the process. */
  flushSync(): void;
  /** Flushes, and closes files. */
  close(): Promise<void>;
}

/**
 * Opens `outputs`: "stderr", "stdout", or paths of files, which are appended to. Throws an `Error` with etcd's text if
 * a file cannot be opened. `onDropped` hears how many lines were lost once there is room again; what it logs is a line
 * like any other.
 */
export function openLogOutput(
  outputs: readonly string[],
  onDropped?: (lines: number) => void,
  rotation?: LogRotation,
): LogOutput {
  const queues: FileQueue[] = [];
  for (const output of outputs) {
    try {
      queues.push(openQueue(output, onDropped, rotation));
    } catch (cause) {
      for (const queue of queues) queue.closeSync();
      throw new Error(`open sink "${output}": open ${output}: ${reason(cause)}`);
    }
  }
  return {
    get droppedLines() {
      return queues.reduce((sum, queue) => sum + queue.droppedLines, 0);
    },
    write(line, urgent) {
      for (const queue of queues) queue.push(line);
      if (urgent) for (const queue of queues) queue.flushSync();
    },
    async flush() {
      await Promise.all(queues.map((queue) => queue.flush()));
    },
    flushSync() {
      for (const queue of queues) queue.flushSync();
    },
    async close() {
      await Promise.all(queues.map((queue) => queue.close()));
    },
  };
}

function openQueue(
  output: string,
  onDropped: ((lines: number) => void) | undefined,
  rotation: LogRotation | undefined,
): FileQueue {
  if (output === "stderr") return new FileQueue({ fd: 2 }, onDropped);
  if (output === "stdout") return new FileQueue({ fd: 1 }, onDropped);
  const path = output.replace(/^file:\/\//, "");
  if (rotation) return new FileQueue(new RotatingFile(path, rotation, preciseWallMs), onDropped);
  const fd = openSync(path, "a", 0o666);
  return new FileQueue({ fd, close: () => closeSync(fd) }, onDropped);
}

/** What a queue writes to. */
interface LogFile {
  readonly fd: number;
  /** Absent for what is not ours to close. */
  readonly close?: () => void;
}

function reason(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT") return "no such file or directory";
  if (code === "EACCES") return "permission denied";
  if (code === "EISDIR") return "is a directory";
  return message;
}

/** One file descriptor, written by one write at a time. */
class FileQueue {
  droppedLines = 0;
  readonly #file: LogFile;
  readonly #onDropped: ((lines: number) => void) | undefined;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** What is being written. */
  #current: Buffer | undefined;
  /** Set while `#current` waits for the output to take more. */
  #retry: NodeJS.Timeout | undefined;
  #scheduled = false;
  #reported = 0;
  #broken = false;
  #idle: (() => void)[] = [];

  constructor(file: LogFile, onDropped: ((lines: number) => void) | undefined) {
    this.#file = file;
    this.#onDropped = onDropped;
  }

  push(line: string): void {
    if (this.#broken || this.#waitingBytes >= queuedBytesMax) {
      this.droppedLines++;
      return;
    }
    this.#waiting.push(line);
    // A close estimate, and cheap: nearly all of a log is ASCII.
    this.#waitingBytes += line.length;
    if (this.#scheduled || this.#current !== undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#begin();
    });
  }

  flush(): Promise<void> {
    if (this.#broken || (this.#current === undefined && this.#waiting.length === 0)) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async close(): Promise<void> {
    await this.flush();
    this.closeSync();
  }

  closeSync(): void {
    this.#file.close?.();
    this.#broken = true;
  }

  flushSync(): void {
    if (this.#broken) return;
    let rest = this.#take();
    if (this.#retry !== undefined) {
      // Not in anybody's hands: it is ours to write.
      clearTimeout(this.#retry);
      rest = Buffer.concat([this.#current as Buffer, rest]);
      this.#finish();
    } else if (this.#current !== undefined) {
      // In the thread pool, and not to be waited for from here. It gets a moment, and is not written twice.
      sleep(retryMs);
    }
    for (let waitedMs = 0; rest.length > 0 && waitedMs <= flushSyncMsMax; ) {
      try {
        rest = rest.subarray(writeSync(this.#file.fd, rest));
        if (rest.length === 0) rest = this.#take();
      } catch (cause) {
        if (!isBusy(cause)) return;
        sleep(retryMs);
        waitedMs += retryMs;
      }
    }
  }

  /** What is written next. Of a file that may be full: what it has room for. */
  #take(): Buffer {
    if (this.#file instanceof RotatingFile) return this.#takeFitting(this.#file);
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#waitingBytes = 0;
    return Buffer.from(text, "utf8");
  }

  #takeFitting(file: RotatingFile): Buffer {
    const parts: Buffer[] = [];
    for (const line of this.#waiting) {
      const bytes = Buffer.from(line, "utf8");
      // A write that is under way needs the file that it began with.
      if (this.#current === undefined && !file.hasRoom(bytes.length)) {
        if (parts.length > 0) break;
        file.rotate();
      }
      file.grow(bytes.length);
      parts.push(bytes);
      this.#waitingBytes -= line.length;
    }
    this.#waiting.splice(0, parts.length);
    return Buffer.concat(parts);
  }

  #begin(): void {
    if (this.#current !== undefined) return;
    if (this.#waiting.length > 0) this.#write(this.#take());
    else this.#becomeIdle();
  }

  #write(bytes: Buffer): void {
    this.#current = bytes;
    write(this.#file.fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error) {
        this.#fail(bytes, error);
      } else if (written < bytes.length) {
        this.#write(bytes.subarray(written));
      } else {
        this.#finish();
        this.#reportDropped();
        this.#begin();
      }
    });
  }

  #fail(bytes: Buffer, error: NodeJS.ErrnoException): void {
    if (isBusy(error)) {
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#write(bytes);
      }, retryMs);
      return;
    }
    // Nobody reads any more (a closed pipe), or the disk is full. A log must not stop the server.
    this.droppedLines += linesIn(bytes);
    if (error.code === "EPIPE") {
      this.#broken = true;
      this.#waiting = [];
    }
    this.#finish();
    this.#begin();
  }

  #finish(): void {
    this.#current = undefined;
    this.#retry = undefined;
  }

  #reportDropped(): void {
    const lines = this.droppedLines - this.#reported;
    if (lines === 0) return;
    this.#reported = this.droppedLines;
    this.#onDropped?.(lines);
  }

  #becomeIdle(): void {
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }
}

const isBusy = (cause: unknown): boolean => (cause as NodeJS.ErrnoException).code === "EAGAIN";

function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (const byte of bytes) if (byte === 10) lines++;
  return lines;
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

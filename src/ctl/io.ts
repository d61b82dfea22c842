/** What a command reads and writes. */
import { writeSync } from "node:fs";

export interface CtlIo {
  out(data: string | Uint8Array): void;
  err(text: string): void;
  /** A line of standard input without its end; undefined at the end of all. What has no line break at its end counts. */
  readLine(): Promise<InputLine | undefined>;
  /** The rest of standard input. */
  readAll(): Promise<Uint8Array>;
  /** Asks for a word that is not shown. */
  askSecret(prompt: string): Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Somebody watches: progress is shown. */
  readonly isTerminal: boolean;
}

export interface InputLine {
  readonly text: string;
  /** False for a last line that input ended in the middle of. */
  readonly isWhole: boolean;
}

/** Those of this process. */
export function processIo(): CtlIo {
  const input = new Input();
  return {
    out: (data) => writeAll(1, data),
    err: (text) => writeAll(2, text),
    readLine: () => input.line(),
    readAll: () => input.all(),
    askSecret: (prompt) => (process.stdin.isTTY ? askSecret(prompt) : askPipe(prompt, input)),
    env: process.env,
    isTerminal: process.stderr.isTTY === true,
  };
}

/** Whole, also into a pipe that is full for the moment. Ends the program when nobody reads any more. */
function writeAll(fd: number, data: string | Uint8Array): void {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "EPIPE") process.exit(141);
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

class Input {
  #rest = Buffer.alloc(0);
  #isOver = false;
  #chunks: AsyncIterator<Buffer> | undefined;

  async #more(): Promise<boolean> {
    if (this.#isOver) return false;
    this.#chunks ??= process.stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const { done, value } = await this.#chunks.next();
    if (done) this.#isOver = true;
    else this.#rest = Buffer.concat([this.#rest, value]);
    return !done;
  }

  async line(): Promise<InputLine | undefined> {
    for (;;) {
      const end = this.#rest.indexOf(10);
      if (end >= 0) {
        const text = this.#rest.toString("utf8", 0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return { text, isWhole: true };
      }
      if (await this.#more()) continue;
      if (this.#rest.length === 0) return undefined;
      const text = this.#rest.toString("utf8");
      this.#rest = Buffer.alloc(0);
      return { text, isWhole: false };
    }
  }

  async all(): Promise<Uint8Array> {
    while (await this.#more());
    return this.#rest;
  }
}

const enter = [10, 13];
const backspace = [8, 127];
const controlC = 3;
const controlD = 4;

/** A script may write the answer into a pipe. */
async function askPipe(prompt: string, input: Input): Promise<string> {
  writeAll(1, prompt);
  const line = await input.line();
  writeAll(1, "\n");
  return line?.text ?? "";
}

function askSecret(prompt: string): Promise<string> {
  const { stdin } = process;
  writeAll(1, prompt);
  return new Promise((resolve, reject) => {
    let typed: number[] = [];
    const end = (): void => {
      stdin.setRawMode(false);
      stdin.pause();
      stdin.removeListener("data", onData);
      writeAll(1, "\n");
    };
    const onData = (chunk: Buffer): void => {
      for (const [at, byte] of chunk.entries()) {
        if (byte === controlC) {
          end();
          reject(new Error("interrupted"));
          return;
        }
        if (enter.includes(byte) || byte === controlD) {
          end();
          if (at + 1 < chunk.length) stdin.unshift(chunk.subarray(at + 1));
          resolve(Buffer.from(typed).toString("utf8"));
          return;
        }
        if (backspace.includes(byte)) typed = typed.slice(0, -1);
        else typed.push(byte);
      }
    };
    stdin.setRawMode(true);
    stdin.on("data", onData);
    stdin.resume();
  });
}

/** The asking side of an HTTP/1.1 connection: one request at a time. */
import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { HttpError, parseResponseHead, type ResponseHead } from "./head.ts";
import type { Http1Limits } from "./limits.ts";
import { HttpParser } from "./parser.ts";
import { plain } from "./plain.ts";

/** Who gets a response. Exactly one of `end` and `fail` comes, and nothing after it. */
export interface ResponseReceiver {
  head(head: ResponseHead): void;
  body(bytes: Uint8Array): void;
  end(): void;
  fail(error: Error): void;
}

export class ClientConnection {
  readonly #socket: Socket;
  readonly #parser: HttpParser<ResponseHead>;
  readonly #onClosed: () => void;
  #receiver: ResponseReceiver | undefined;
  #head: ResponseHead | undefined;
  #onDrain: (() => void) | undefined;
  #reusable = true;
  /** Anything of the current response has come. */
  heardAnything = false;

  /** `onClosed` is told once, also if the connection was not in use. */
  constructor(socket: Socket, limits: Http1Limits, onClosed: () => void) {
    this.#socket = socket;
    this.#onClosed = onClosed;
    this.#parser = new HttpParser(parseResponseHead, limits, {
      onHead: (head) => this.#onHead(head),
      onBody: (bytes) => this.#receiver?.body(bytes),
      onEnd: () => this.#onEnd(),
    });
    socket.on("data", (bytes: Buffer) => this.#onData(bytes));
    socket.on("end", () => this.#onSocketEnd());
    socket.on("error", (error) => this.#fail(error));
    socket.on("drain", () => {
      const callback = this.#onDrain;
      this.#onDrain = undefined;
      callback?.();
    });
    socket.on("close", () => {
      this.#fail(new HttpError("EOF"));
      this.#onClosed();
    });
  }

  /** May carry another request: the last one was answered in full, and nobody closed. */
  get isReusable(): boolean {
    return this.#reusable && this.#receiver === undefined && !this.#socket.destroyed;
  }

  /** Bytes handed over but not taken by the system. */
  get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  /** Begins a request, of which `bytes` is the head and perhaps all. */
  begin(bytes: Uint8Array, receiver: ResponseReceiver): void {
    this.#receiver = receiver;
    this.#head = undefined;
    this.heardAnything = false;
    this.#socket.resume();
    this.write(bytes);
  }

  /** False: more than enough waits, and `callback` is told when it is gone. */
  write(bytes: Uint8Array, callback?: () => void): boolean {
    if (this.#socket.destroyed) return true;
    const roomy = this.#socket.write(bytes);
    if (!roomy) this.#onDrain = callback;
    return roomy;
  }

  pause(): void {
    this.#parser.stop();
    this.#socket.pause();
  }

  resume(): void {
    this.#guard(() => this.#parser.resume());
    if (!this.#socket.destroyed) this.#socket.resume();
  }

  destroy(error?: Error): void {
    if (error !== undefined) this.#fail(error);
    this.#reusable = false;
    this.#socket.destroy();
  }

  #onData(bytes: Buffer): void {
    if (this.#receiver === undefined) {
      // Nobody asked for anything: an answer to nothing, or one after its request was given up.
      this.destroy();
      return;
    }
    this.heardAnything = true;
    this.#guard(() => this.#parser.push(plain(bytes)));
  }

  #onSocketEnd(): void {
    this.#reusable = false;
    if (this.#receiver !== undefined) this.#guard(() => this.#parser.end());
    this.#fail(new HttpError("EOF"));
    this.#socket.destroy();
  }

  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.destroy(error);
    }
  }

  #onHead(head: ResponseHead): void {
    if (head.status === 101) throw new HttpError("unexpected 101 response");
    this.#head = head;
    if (head.status >= 200) this.#receiver?.head(head);
  }

  #onEnd(): void {
    // An interim response: the real one follows.
    if (this.#head !== undefined && this.#head.status < 200) return;
    if (this.#head?.keepAlive !== true) this.#reusable = false;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.end();
  }

  #fail(error: Error): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#reusable = false;
    receiver?.fail(error);
  }
}

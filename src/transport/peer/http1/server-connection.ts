/**
 * The serving side of an HTTP/1.1 connection: one request at a time, each answered before the next is read. By hand and
 * not with node:http because a body must be able to wait for the disk without filling the memory, on every runtime.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Clock, Timer } from "../../../lib/clock.ts";
import { Exchange, type ExchangeConnection, type OutgoingStream } from "./exchange.ts";
import {
  HttpError,
  type HttpHeaders,
  parseRequestHead,
  type RequestHead,
  reasonOf,
  writeHead,
} from "./head.ts";
import type { Http1Limits } from "./limits.ts";
import { HttpParser } from "./parser.ts";
import { plain } from "./plain.ts";
import { SilenceTimer } from "./silence-timer.ts";

export interface ServerConnectionOptions {
  readonly socket: Socket;
  readonly remoteAddress: string;
  readonly limits: Http1Limits;
  readonly clock: Clock;
  readonly onRequest: (exchange: Exchange) => void;
  readonly onClosed: (connection: ServerConnection) => void;
}

export class ServerConnection implements ExchangeConnection {
  readonly remoteAddress: string;
  readonly #socket: Socket;
  readonly #options: ServerConnectionOptions;
  readonly #parser: HttpParser<RequestHead>;
  #exchange: Exchange | undefined;
  /** All of the current request has been read. */
  #bodyEnded = false;
  /** What comes next has to wait. */
  #isHeld = false;
  #stream: StreamResponse | undefined;
  #timer: Timer | undefined;
  /** Runs while a body is read. */
  readonly #silence: SilenceTimer;
  #lingers = false;
  #closing = false;

  constructor(options: ServerConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.remoteAddress = options.remoteAddress;
    this.#parser = new HttpParser(parseRequestHead, options.limits, {
      onHead: (head) => this.#onHead(head),
      onBody: (bytes) => this.#exchange?.bodyData(bytes),
      onEnd: (trailers) => this.#onBodyEnd(trailers),
    });
    this.#silence = new SilenceTimer(options.clock, options.limits.bodyTimeoutMs, () => this.destroy());
    const { socket } = options;
    socket.on("data", (bytes: Buffer) => this.#onData(plain(bytes)));
    socket.on("end", () => this.#onEnd());
    socket.on("error", () => {});
    socket.on("drain", () => this.#stream?.drained());
    socket.on("close", () => this.#onClose());
  }

  /** Takes over; `first` is what was read from the socket before. */
  start(first: Uint8Array): void {
    this.#awaitHead();
    this.#onData(plain(first));
    this.#socket.resume();
  }

  /** No request is being read or answered. */
  get isIdle(): boolean {
    return this.#exchange === undefined && this.#parser.isIdle;
  }

  /** Closes after the answer under way, or now. */
  close(): void {
    this.#closing = true;
    if (this.isIdle) this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  resumeBody(): void {
    if (this.#bodyEnded || this.#lingers || this.#socket.destroyed) return;
    this.#awaitBody();
    this.#release();
  }

  pauseBody(): void {
    this.#silence.stop();
    this.#hold();
  }

  respond(status: number, headers: Readonly<Record<string, string>>, body: Uint8Array): void {
    if (this.#socket.destroyed) return;
    const exchange = this.#exchange;
    const reuse = this.#bodyEnded && !this.#closing && exchange?.head.keepAlive === true;
    const all: Record<string, string> = {
      ...headers,
      Date: new Date(this.#options.clock.wallMs()).toUTCString(),
    };
    if (status !== 204) all["Content-Length"] = String(body.length);
    if (!reuse) all["Connection"] = "close";
    const head = writeHead(`HTTP/1.1 ${status} ${reasonOf(status)}`, all);
    this.#socket.write(body.length === 0 || status === 204 ? head : Buffer.concat([head, body]));
    this.#exchange = undefined;
    if (reuse) this.#next();
    else this.#linger();
  }

  respondWithStream(status: number, headers: Readonly<Record<string, string>>): OutgoingStream {
    const date = new Date(this.#options.clock.wallMs()).toUTCString();
    const all = { ...headers, Date: date, "Transfer-Encoding": "chunked" };
    this.#stream = new StreamResponse(this.#socket);
    if (!this.#socket.destroyed) {
      this.#socket.write(writeHead(`HTTP/1.1 ${status} ${reasonOf(status)}`, all));
      // Who reads a stream has nothing more to say, but its end is heard only while we listen.
      this.#socket.resume();
    }
    return this.#stream;
  }

  #hold(): void {
    this.#isHeld = true;
    this.#parser.stop();
    this.#socket.pause();
  }

  /** Reads on: what is here already, and then from the socket unless that led to another halt. */
  #release(): void {
    this.#isHeld = false;
    this.#guard(() => this.#parser.resume());
    if (!this.#isHeld && !this.#socket.destroyed) this.#socket.resume();
  }

  #onData(bytes: Uint8Array): void {
    this.#silence.heard();
    if (this.#lingers) return;
    if (this.#stream !== undefined) {
      this.destroy();
      return;
    }
    this.#guard(() => this.#parser.push(bytes));
  }

  #onEnd(): void {
    if (this.#lingers || this.#stream !== undefined) this.destroy();
    else this.#guard(() => this.#parser.end());
    if (this.isIdle) this.destroy();
  }

  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.#malformed(error);
    }
  }

  #onHead(head: RequestHead): void {
    this.#timer?.cancel();
    this.#exchange = new Exchange(head, this);
    if (head.body === 0) return;
    // The body waits until a handler wants it.
    this.#hold();
    if (head.headers.get("expect")?.toLowerCase() === "100-continue") {
      this.#socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    }
    this.#options.onRequest(this.#exchange);
  }

  #onBodyEnd(trailers: HttpHeaders): void {
    const exchange = this.#exchange;
    this.#bodyEnded = true;
    this.#hold();
    this.#timer?.cancel();
    this.#silence.stop();
    if (exchange === undefined) return;
    exchange.bodyEnd(trailers);
    if (exchange.head.body === 0) this.#options.onRequest(exchange);
  }

  #malformed(error: HttpError): void {
    this.#exchange?.bodyFailed(error);
    this.#exchange = undefined;
    if (!this.#socket.writable || this.#stream !== undefined) {
      this.destroy();
      return;
    }
    this.#socket.write(writeHead("HTTP/1.1 400 Bad Request", { Connection: "close", "Content-Length": "0" }));
    this.#linger();
  }

  /** The answer is out and the request is read: on to the next one. */
  #next(): void {
    this.#bodyEnded = false;
    this.#awaitHead();
    // In a turn of its own: a client that sends many requests at once must not keep us in one.
    this.#options.clock.nextTurn(() => {
      if (!this.#socket.destroyed) this.#release();
    });
  }

  /** Ends the connection so that the answer arrives: what still comes is thrown away for a while. */
  #linger(): void {
    this.#lingers = true;
    this.#timer?.cancel();
    this.#silence.stop();
    this.#socket.end();
    this.#socket.resume();
    this.#timer = this.#options.clock.after(this.#options.limits.lingerMs, () => this.destroy());
  }

  #awaitHead(): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(this.#options.limits.headTimeoutMs, () => this.destroy());
  }

  #awaitBody(): void {
    this.#timer?.cancel();
    this.#silence.start();
  }

  #onClose(): void {
    this.#timer?.cancel();
    this.#silence.stop();
    this.#exchange?.bodyFailed(new HttpError("the connection was closed"));
    this.#exchange = undefined;
    this.#stream?.closed();
    this.#options.onClosed(this);
  }
}

class StreamResponse implements OutgoingStream {
  readonly #socket: Socket;
  #onDrain: (() => void) | undefined;
  #onClose: (() => void) | undefined;
  #isClosed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.destroyed || this.#socket.write(bytes);
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  onClose(callback: () => void): void {
    this.#onClose = callback;
    if (this.#isClosed || this.#socket.destroyed) queueMicrotask(() => this.closed());
  }

  end(): void {
    if (!this.#socket.destroyed) this.#socket.end("0\r\n\r\n");
  }

  destroy(): void {
    this.#socket.destroy();
  }

  drained(): void {
    this.#onDrain?.();
  }

  closed(): void {
    this.#isClosed = true;
    const callback = this.#onClose;
    this.#onClose = undefined;
    callback?.();
  }
}

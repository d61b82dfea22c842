/**
 * HTTP/1.1 messages out of a socket's chunks, for either side. Nothing is copied but heads, and nothing is kept but an
 * unfinished head, so a body of any size passes in constant memory.
 */
import { Buffer } from "node:buffer";
import {
  type BodyKind,
  chunked,
  HttpError,
  type HttpHeaders,
  headLines,
  parseHeaders,
  untilClose,
} from "./head.ts";
import type { Http1Limits } from "./limits.ts";

/** Who is told. `onBody` gets views into the chunks. Any of them may call `stop`. */
export interface HttpSink<Head> {
  onHead(head: Head): void;
  onBody(bytes: Uint8Array): void;
  /** The message is complete. */
  onEnd(trailers: HttpHeaders): void;
}

const noTrailers: HttpHeaders = new Map();
const cr = 0x0d;
const lf = 0x0a;

type State = "head" | "data" | "chunkSize" | "chunkData" | "chunkEnd" | "trailers";

export class HttpParser<Head extends { readonly body: BodyKind }> {
  readonly #parseHead: (lines: readonly string[], limits: Http1Limits) => Head;
  readonly #limits: Http1Limits;
  readonly #sink: HttpSink<Head>;
  #state: State = "head";
  /** An unfinished head or trailers. */
  #text: Uint8Array[] = [];
  #textBytes = 0;
  /** The last bytes of `#text`, to see an end that two chunks share. */
  #tail = "";
  /** Bytes left of the body or the chunk; Infinity until the connection ends. */
  #left = 0;
  #line = "";
  #stopped = false;
  #busy = false;
  /** What came while stopped. */
  #held: Uint8Array[] = [];

  constructor(
    parseHead: (lines: readonly string[], limits: Http1Limits) => Head,
    limits: Http1Limits,
    sink: HttpSink<Head>,
  ) {
    this.#parseHead = parseHead;
    this.#limits = limits;
    this.#sink = sink;
  }

  /** Whether the last message is complete and nothing of a next one has come. */
  get isIdle(): boolean {
    return this.#state === "head" && this.#textBytes === 0 && this.#held.length === 0;
  }

  /** Keeps what is not yet read, and what comes, until `resume`. Whoever stops should pause the socket as well. */
  stop(): void {
    this.#stopped = true;
  }

  /** Throws like `push`. */
  resume(): void {
    this.#stopped = false;
    if (!this.#busy) this.#run();
  }

  /** Throws HttpError if the bytes are no HTTP/1.1. */
  push(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#held.push(bytes);
    if (!this.#busy) this.#run();
  }

  /** The connection ended. Throws if that cuts a message. */
  end(): void {
    if (this.#state === "data" && this.#left === Number.POSITIVE_INFINITY) this.#complete(noTrailers);
    else if (!this.isIdle) throw new HttpError("unexpected EOF");
  }

  #run(): void {
    this.#busy = true;
    try {
      while (!this.#stopped) {
        const bytes = this.#held.shift();
        if (bytes === undefined) break;
        const at = this.#read(bytes);
        if (at < bytes.length) this.#held.unshift(bytes.subarray(at));
      }
    } finally {
      this.#busy = false;
    }
  }

  /** Reads until the bytes end or somebody says stop; returns how far. */
  #read(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && !this.#stopped) {
      switch (this.#state) {
        case "head":
        case "trailers":
          at = this.#readText(bytes, at);
          break;
        case "data":
        case "chunkData":
          at = this.#readData(bytes, at);
          break;
        case "chunkSize":
        case "chunkEnd":
          at = this.#readLine(bytes, at);
          break;
      }
    }
    return at;
  }

  /** A head or trailers: lines up to an empty one. */
  #readText(bytes: Uint8Array, from: number): number {
    const end = this.#findEnd(bytes, from);
    const to = end < 0 ? bytes.length : end;
    this.#text.push(bytes.subarray(from, to));
    this.#textBytes += to - from;
    if (this.#textBytes > this.#limits.headBytes) throw new HttpError("head too large");
    if (end < 0) {
      // A peer that sends octet by octet must not make a list of octets.
      if (this.#text.length > 64) this.#text = [Buffer.concat(this.#text)];
      this.#tail = (this.#tail + latin1(bytes.subarray(Math.max(from, to - 3), to))).slice(-3);
      return to;
    }
    const text = this.#text.length === 1 ? this.#text[0]! : Buffer.concat(this.#text);
    this.#text = [];
    this.#textBytes = 0;
    this.#tail = "";
    if (this.#state === "head") this.#headComplete(headLines(text.subarray(0, text.length - 4)));
    else {
      const lines = text.length > 2 ? headLines(text.subarray(0, text.length - 4)) : [];
      this.#complete(parseHeaders(lines, 0, this.#limits));
    }
    return to;
  }

  /** Where the empty line ends that is looked for, or -1. Trailers may consist of it alone. */
  #findEnd(bytes: Uint8Array, from: number): number {
    if (this.#state === "trailers") {
      const start = this.#tail + latin1(bytes.subarray(from, from + 2));
      if (this.#textBytes < 2 && start.startsWith("\r\n")) return from + 2 - this.#tail.length;
    }
    if (this.#tail !== "") {
      const seam = this.#tail + latin1(bytes.subarray(from, from + 3));
      const at = seam.indexOf("\r\n\r\n");
      if (at >= 0) return from + at + 4 - this.#tail.length;
    }
    for (let at = bytes.indexOf(lf, from + 3); at >= 0; at = bytes.indexOf(lf, at + 1)) {
      if (bytes[at - 1] === cr && bytes[at - 2] === lf && bytes[at - 3] === cr) return at + 1;
    }
    return -1;
  }

  #headComplete(lines: string[]): void {
    const head = this.#parseHead(lines, this.#limits);
    const { body } = head;
    if (body === chunked) this.#state = "chunkSize";
    else if (body !== 0) {
      this.#state = "data";
      this.#left = body === untilClose ? Number.POSITIVE_INFINITY : body;
    }
    this.#sink.onHead(head);
    if (body === 0) this.#complete(noTrailers);
  }

  #readData(bytes: Uint8Array, from: number): number {
    const to = Math.min(bytes.length, from + this.#left);
    this.#left -= to - from;
    const isLast = this.#left === 0;
    const wasChunk = this.#state === "chunkData";
    if (isLast && wasChunk) this.#state = "chunkEnd";
    this.#sink.onBody(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
    if (isLast && !wasChunk) this.#complete(noTrailers);
    return to;
  }

  /** The line before a chunk, or the empty one after it. */
  #readLine(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length) {
      const byte = bytes[at++]!;
      if (byte === lf) {
        if (!this.#line.endsWith("\r")) throw new HttpError("malformed chunk");
        const line = this.#line.slice(0, -1);
        this.#line = "";
        this.#lineComplete(line);
        return at;
      }
      this.#line += String.fromCharCode(byte);
      if (this.#line.length > this.#limits.chunkLineBytes) throw new HttpError("chunk line too long");
    }
    return at;
  }

  #lineComplete(line: string): void {
    if (this.#state === "chunkEnd") {
      if (line !== "") throw new HttpError("malformed chunk");
      this.#state = "chunkSize";
      return;
    }
    const match = /^([0-9a-fA-F]{1,13})[ \t]*(?:;.*)?$/.exec(line);
    if (match === null) throw new HttpError("malformed chunk size");
    this.#left = Number.parseInt(match[1]!, 16);
    this.#state = this.#left === 0 ? "trailers" : "chunkData";
  }

  #complete(trailers: HttpHeaders): void {
    this.#state = "head";
    this.#sink.onEnd(trailers);
  }
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

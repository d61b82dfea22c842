/** One request and its answer, as a handler sees them. */
import { Buffer } from "node:buffer";
import { HttpError, type HttpHeaders, type RequestHead } from "./head.ts";
import { joined } from "./plain.ts";

/** Who gets a request's body. Exactly one of `end` and `fail` comes, and nothing after it. */
export interface BodyConsumer {
  data(bytes: Uint8Array): void;
  end(trailers: HttpHeaders): void;
  fail(error: Error): void;
}

/** What an exchange needs of its connection. */
export interface ExchangeConnection {
  readonly remoteAddress: string;
  /** Lets the body come. */
  resumeBody(): void;
  pauseBody(): void;
  respond(status: number, headers: Readonly<Record<string, string>>, body: Uint8Array): void;
  respondWithStream(status: number, headers: Readonly<Record<string, string>>): OutgoingStream;
  destroy(): void;
}

/** A response body without an end in sight. */
export interface OutgoingStream {
  /** Bytes of the body, already in chunks (`beginChunk`). False: wait for `onDrain` before writing more. */
  write(bytes: Uint8Array): boolean;
  onDrain(callback: () => void): void;
  /** The connection is gone, for whatever reason. Called once, later if it is so already. */
  onClose(callback: () => void): void;
  /** Ends the response properly, and the connection. */
  end(): void;
  destroy(): void;
}

/** Bytes before a chunk whose size was not known when writing began: see `beginChunk`. */
export const chunkHeadBytes = 10;
export const chunkTailBytes = 2;

/** Makes `buffer` one chunk: its data is all but the first `chunkHeadBytes` and the last `chunkTailBytes`. */
export function sealChunk(buffer: Buffer): void {
  const size = buffer.length - chunkHeadBytes - chunkTailBytes;
  buffer.write(`${size.toString(16).padStart(8, "0")}\r\n`, 0, "latin1");
  buffer.write("\r\n", buffer.length - chunkTailBytes, "latin1");
}

export class Exchange {
  readonly head: RequestHead;
  readonly #connection: ExchangeConnection;
  #consumer: BodyConsumer | undefined;
  #outcome: { trailers: HttpHeaders } | { error: Error } | undefined;
  #answered = false;

  constructor(head: RequestHead, connection: ExchangeConnection) {
    this.head = head;
    this.#connection = connection;
  }

  get method(): string {
    return this.head.method;
  }
  get path(): string {
    return this.head.path;
  }
  /** `ip:port` of who asks. */
  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }
  get isAnswered(): boolean {
    return this.#answered;
  }

  /** A header, by its lower-case name; empty if it is not there. */
  header(name: string): string {
    return this.head.headers.get(name) ?? "";
  }

  /** Begins to read the body. */
  consume(consumer: BodyConsumer): void {
    this.#consumer = consumer;
    if (this.#outcome !== undefined) this.#tell(consumer);
    else this.#connection.resumeBody();
  }

  pause(): void {
    this.#connection.pauseBody();
  }

  resume(): void {
    this.#connection.resumeBody();
  }

  /** The whole body. Rejects with HttpError "request body too large", or with what ended the connection. */
  readBody(maxBytes: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const parts: Uint8Array[] = [];
      let bytes = 0;
      this.consume({
        data: (part) => {
          bytes += part.length;
          if (bytes > maxBytes) {
            this.#consumer = undefined;
            reject(new HttpError("request body too large"));
          } else parts.push(part);
        },
        end: () => resolve(joined(parts)),
        fail: reject,
      });
    });
  }

  /** Answers. A second answer, or one after the connection went away, is ignored. */
  respond(
    status: number,
    headers: Readonly<Record<string, string>> = {},
    body: Uint8Array | string = "",
  ): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#consumer = undefined;
    this.#connection.respond(status, headers, typeof body === "string" ? Buffer.from(body) : body);
  }

  /** A refusal, as Go's http.Error words it. */
  refuse(status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
    const plain = { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" };
    this.respond(status, { ...headers, ...plain }, `${text}\n`);
  }

  /** False, and answered with 405, unless the method is `method`. */
  allows(method: string): boolean {
    if (this.method === method) return true;
    this.refuse(405, "Method Not Allowed", { Allow: method });
    return false;
  }

  /** Answers with a stream. */
  stream(status: number, headers: Readonly<Record<string, string>>): OutgoingStream {
    this.#answered = true;
    this.#consumer = undefined;
    return this.#connection.respondWithStream(status, headers);
  }

  destroy(): void {
    this.#answered = true;
    this.#connection.destroy();
  }

  // What the connection reports.

  bodyData(bytes: Uint8Array): void {
    this.#consumer?.data(bytes);
  }

  bodyEnd(trailers: HttpHeaders): void {
    this.#finish({ trailers });
  }

  bodyFailed(error: Error): void {
    this.#answered = true;
    this.#finish({ error });
  }

  #finish(outcome: { trailers: HttpHeaders } | { error: Error }): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    if (this.#consumer !== undefined) this.#tell(this.#consumer);
  }

  #tell(consumer: BodyConsumer): void {
    const outcome = this.#outcome!;
    this.#consumer = undefined;
    if ("error" in outcome) consumer.fail(outcome.error);
    else consumer.end(outcome.trailers);
  }
}

/** A response body that goes on and on. */
import type { ClientConnection } from "./client-connection.ts";
import type { HttpHeaders, ResponseHead } from "./head.ts";

/** Exactly one of `end` and `fail` comes, and nothing after it. */
export interface StreamConsumer {
  data(bytes: Uint8Array): void;
  /** The other side ended the body properly. */
  end(): void;
  fail(error: Error): void;
}

export class ResponseStream {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly #connection: ClientConnection;
  #consumer: StreamConsumer | undefined;
  #outcome: Error | "end" | undefined;

  constructor(head: ResponseHead, connection: ClientConnection) {
    this.status = head.status;
    this.headers = head.headers;
    this.#connection = connection;
  }

  /** Begins to read. */
  consume(consumer: StreamConsumer): void {
    this.#consumer = consumer;
    if (this.#outcome !== undefined) this.#tell();
    else this.#connection.resume();
  }

  /** All that is left, as text, of at most `maxBytes`. */
  readText(maxBytes: number): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = "";
      const decoder = new TextDecoder();
      this.consume({
        data: (bytes) => {
          text += decoder.decode(bytes, { stream: true });
          if (text.length > maxBytes) this.destroy(new Error("response body too large"));
        },
        end: () => resolve(text),
        fail: reject,
      });
    });
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  destroy(error = new Error("closed")): void {
    this.#connection.destroy(error);
  }

  // What the connection reports.

  received(bytes: Uint8Array): void {
    this.#consumer?.data(bytes);
  }

  finished(outcome: Error | "end"): void {
    this.#outcome ??= outcome;
    this.#tell();
  }

  #tell(): void {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    if (this.#outcome === "end") consumer?.end();
    else if (this.#outcome !== undefined) consumer?.fail(this.#outcome);
  }
}

/** Sends a request and waits for the head of its answer. The body waits until it is consumed. */
export function openResponse(connection: ClientConnection, request: Uint8Array): Promise<ResponseStream> {
  return new Promise((resolve, reject) => {
    let stream: ResponseStream | undefined;
    const finished = (outcome: Error | "end"): void => {
      connection.destroy();
      if (stream !== undefined) stream.finished(outcome);
      else reject(outcome);
    };
    connection.begin(request, {
      head: (head) => {
        stream = new ResponseStream(head, connection);
        connection.pause();
        resolve(stream);
      },
      body: (bytes) => stream?.received(bytes),
      end: () => finished("end"),
      fail: finished,
    });
  });
}

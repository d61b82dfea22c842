/** A call with many messages: they are sent as they come, and read by iterating. */
import type { EtcdError } from "../errors/etcd-error.ts";
import type { OpenCall } from "./channel.ts";
import { clientError } from "./client-error.ts";
import type { StreamListener } from "./http2/stream.ts";
import type { Method, MethodKind } from "./methods/method.ts";
import { decode, encode } from "./wire/codec.ts";
import type { Init } from "./wire/message.ts";

/** How many messages may wait for their reader before the server is held back. */
const queueMax = 16;

export class MessageStream<Request, Response> implements AsyncIterable<Response>, StreamListener {
  readonly #method: Method<MethodKind, Request, Response>;
  readonly #isOver: () => boolean;
  readonly #queue: Uint8Array[] = [];
  #call: OpenCall | undefined;
  #isHeldBack = false;
  #ended: { readonly error: EtcdError | undefined } | undefined;
  #wake: (() => void) | undefined;

  /** Made by Client. */
  constructor(method: Method<MethodKind, Request, Response>, isOver: () => boolean) {
    this.#method = method;
    this.#isOver = isOver;
  }

  begin(call: OpenCall): void {
    this.#call = call;
  }

  send(request: Init<Request>): void {
    this.#call?.send(encode(this.#method.request, request));
  }

  /** Nothing more is sent. */
  halfClose(): void {
    this.#call?.halfClose();
  }

  /** Ends the call; a reader's loop ends too. */
  cancel(): void {
    this.#call?.cancel();
    this.#ended ??= { error: undefined };
    this.#queue.length = 0;
    this.#wake?.();
  }

  onMessage(message: Uint8Array): boolean {
    this.#queue.push(message);
    this.#wake?.();
    this.#isHeldBack = this.#queue.length >= queueMax;
    return !this.#isHeldBack;
  }

  onEnd(error: EtcdError | undefined): void {
    this.#ended ??= { error };
    this.#wake?.();
  }

  /** The next message, or undefined at the end. Rejects with a ClientError. */
  async next(): Promise<Response | undefined> {
    for (;;) {
      const message = this.#queue.shift();
      if (message !== undefined) {
        if (this.#isHeldBack && this.#queue.length === 0) {
          this.#isHeldBack = false;
          this.#call?.take();
        }
        return decode(this.#method.response, message);
      }
      if (this.#ended !== undefined) {
        if (this.#ended.error === undefined) return undefined;
        throw clientError(this.#ended.error, this.#isOver());
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Response, void, undefined> {
    try {
      for (let message = await this.next(); message !== undefined; message = await this.next()) yield message;
    } finally {
      this.cancel();
    }
  }
}

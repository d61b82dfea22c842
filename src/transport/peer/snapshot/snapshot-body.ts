/** The body of a snapshot post: a message with its length, and a file of any size. Holds no more than a few chunks. */
import { createHash, type Hash } from "node:crypto";
import type { Message } from "../../../lib/raft-message.ts";
import type { IncomingSnapshot } from "../contracts.ts";
import { MessageDecoder } from "../frames/message-frames.ts";
import type { Exchange } from "../http1/exchange.ts";
import type { HttpHeaders } from "../http1/head.ts";
import { joined } from "../http1/plain.ts";
import type { PeerLimits } from "../limits.ts";
import { snapshotDigestTrailer } from "./snapshot-sender.ts";

/** Chunks are gathered up to this size before they are written: a disk likes few large writes. */
const writeBytes = 1024 * 1024;

export class SnapshotBody {
  readonly #exchange: Exchange;
  readonly #decoder: MessageDecoder;
  readonly #hash: Hash = createHash("sha256");
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #end: { trailers: HttpHeaders } | { error: Error } | undefined;
  #wake: (() => void) | undefined;
  #hasMessage = false;

  constructor(exchange: Exchange, limits: PeerLimits) {
    this.#exchange = exchange;
    this.#decoder = new MessageDecoder({ ...limits, messageBytes: limits.snapshotMessageBytes });
    exchange.consume({
      data: (bytes) => this.#onData(bytes),
      end: (trailers) => this.#finish({ trailers }),
      fail: (error) => this.#finish({ error }),
    });
  }

  /** The message at the beginning. Rejects if it is none, or too large, or does not come. */
  async message(): Promise<Message> {
    for (;;) {
      const message = this.#decoder.next();
      if (message !== undefined) {
        this.#hasMessage = true;
        const rest = this.#decoder.takeRest();
        if (rest.length > 0) this.#keep(rest);
        return message;
      }
      if (this.#end !== undefined) throw "error" in this.#end ? this.#end.error : new Error("unexpected EOF");
      await this.#more();
    }
  }

  /** Writes the rest into `incoming` and commits it, or aborts it and rejects. Resolves to the bytes written. */
  async saveTo(incoming: IncomingSnapshot): Promise<number> {
    let total = 0;
    try {
      for (;;) {
        if (this.#bytes >= writeBytes || (this.#end !== undefined && this.#bytes > 0)) {
          const chunk = this.#take();
          this.#hash.update(chunk);
          await incoming.write(chunk);
          total += chunk.length;
        } else if (this.#end !== undefined) break;
        else await this.#more();
      }
      if ("error" in this.#end) throw this.#end.error;
      this.#checkDigest(this.#end.trailers);
      await incoming.commit();
      return total;
    } catch (error) {
      await incoming.abort();
      throw error;
    }
  }

  #checkDigest(trailers: HttpHeaders): void {
    const expected = trailers.get(snapshotDigestTrailer.toLowerCase());
    if (expected !== undefined && expected !== this.#hash.digest("hex")) {
      throw new Error("snapshot digest mismatch");
    }
  }

  #onData(bytes: Uint8Array): void {
    if (this.#hasMessage) this.#keep(bytes);
    else this.#decoder.feed(bytes);
    this.#wakeUp();
  }

  #keep(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= writeBytes) this.#exchange.pause();
  }

  #take(): Uint8Array {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return joined(chunks);
  }

  #finish(end: { trailers: HttpHeaders } | { error: Error }): void {
    this.#end = end;
    this.#wakeUp();
  }

  /** Waits for more to come. */
  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#exchange.resume();
    });
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/**
 * A WebSocket that carries one POST: its messages are the lines of the request, the lines of the answer are its messages.
 * So etcd's gateway has them, for pages that cannot send a request piece by piece.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { FetchHandler, Peer } from "../../grpc.ts";
import type { CoarseTimers } from "../../timers/coarse-timers.ts";
import { BodyQueue } from "../body-queue.ts";
import type { FetchLimits } from "../fetch-limits.ts";
import { ClientFrameReader, FrameError, type FrameSink } from "./frame-reader.ts";
import { CloseCode, encodeClose, encodeFrame, Opcode } from "./frames.ts";
import { acceptance, requestHeaders } from "./handshake.ts";
import { LineFrames } from "./line-frames.ts";

/** How long a client may take for its last word when we have said ours. */
const closeWaitMs = 5_000;
const newline = Buffer.from("\n");

export interface WebSocketOptions {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly url: URL;
  readonly peer: Peer;
  readonly handler: FetchHandler;
  readonly limits: FetchLimits;
  readonly timers: CoarseTimers;
  readonly onError: (cause: unknown) => void;
}

export class WebSocketConnection implements FrameSink {
  readonly #socket: Duplex;
  readonly #options: WebSocketOptions;
  readonly #gone = new AbortController();
  readonly #reader: ClientFrameReader;
  readonly #body: BodyQueue;
  #heldBytes = 0;
  #isClosing = false;
  /** The payload of a ping whose answer waits until the client reads. */
  #owedPong: Buffer | undefined;
  #wake: (() => void) | undefined;

  /** Says yes to the opening and begins. `head` is what came with it. */
  constructor(options: WebSocketOptions) {
    this.#options = options;
    const { socket, limits } = options;
    this.#socket = socket;
    this.#reader = new ClientFrameReader(this, limits.maxBodyBytes);
    this.#body = new BodyQueue((bytes) => {
      this.#heldBytes -= bytes;
      if (this.#heldBytes < limits.bodyHighWaterBytes) socket.resume();
    });
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("drain", () => this.#onDrain());
    socket.on("error", () => {});
    socket.on("end", () => this.#socket.destroy());
    socket.on("close", () => {
      this.#gone.abort();
      this.#body.fail(new Error("the client went away"));
      this.#onDrain();
    });
    socket.write(acceptance(options.incoming));
    socket.resume();
    void this.#serve();
  }

  /** Ends it: the client is told why, and has a moment to answer. */
  close(code: CloseCode, reason?: string): void {
    this.#farewell(encodeClose(code, reason));
  }

  #farewell(frame: Buffer): void {
    if (this.#isClosing || this.#socket.destroyed) return;
    this.#isClosing = true;
    this.#socket.write(frame);
    this.#body.end();
    // What else comes is only looked at for the client's own last word.
    this.#socket.resume();
    const timer = this.#options.timers.arm(closeWaitMs, { onTimer: () => this.#socket.destroy() });
    this.#socket.on("close", () => timer.cancel());
  }

  // ---- from the client ----

  #read(chunk: Buffer): void {
    try {
      this.#reader.read(chunk);
    } catch (error) {
      const { code, message } =
        error instanceof FrameError ? error : { code: CloseCode.internalError, message: "" };
      this.close(code, message);
      this.#gone.abort();
      // There is no telling where the next frame begins.
      this.#socket.end();
    }
  }

  onPayload(bytes: Uint8Array): void {
    if (this.#isClosing || !this.#body.isWanted) return;
    this.#heldBytes += bytes.length;
    this.#body.push(bytes);
    if (this.#heldBytes >= this.#options.limits.bodyHighWaterBytes) this.#socket.pause();
  }

  onMessageEnd(): void {
    this.onPayload(newline);
  }

  onPing(payload: Buffer): void {
    if (this.#isClosing) return;
    if (this.#isFull) this.#owedPong = payload;
    else this.#socket.write(encodeFrame(Opcode.pong, [payload]));
  }

  onClose(code: number | undefined): void {
    if (!this.#isClosing) this.#farewell(encodeClose(code));
    this.#gone.abort();
    this.#socket.end();
  }

  // ---- to the client ----

  get #isFull(): boolean {
    return this.#socket.writableLength >= this.#options.limits.bodyHighWaterBytes;
  }

  #onDrain(): void {
    if (this.#owedPong !== undefined && !this.#isClosing) {
      this.#socket.write(encodeFrame(Opcode.pong, [this.#owedPong]));
    }
    this.#owedPong = undefined;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  async #serve(): Promise<void> {
    const { handler, peer, url, incoming, onError } = this.#options;
    const { signal } = this.#gone;
    try {
      const headers = requestHeaders(incoming);
      const body = this.#body.stream;
      const request = new Request(url, {
        method: "POST",
        headers,
        body,
        signal,
        duplex: "half",
      } as RequestInit);
      const response = await handler(request, peer);
      await this.#answer(response);
      this.close(CloseCode.normal);
    } catch (cause) {
      if (!signal.aborted) onError(cause);
      this.close(CloseCode.internalError);
    }
  }

  async #answer({ body }: Response): Promise<void> {
    const lines = new LineFrames();
    const reader = body?.getReader();
    const { signal } = this.#gone;
    for (;;) {
      const read = await reader?.read();
      const frames = read?.value === undefined ? lines.end() : lines.push(read.value);
      for (const frame of frames) if (!this.#isClosing) this.#socket.write(frame);
      if (read === undefined || read.done) return;
      if (this.#isFull && !this.#socket.destroyed) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      if (signal.aborted || this.#isClosing) {
        await reader?.cancel().catch(() => {});
        return;
      }
    }
  }
}

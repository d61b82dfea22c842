/** A gRPC call that never leaves the process: what a handler does with it goes straight to the client's listener. */
import type { OpenCall } from "../client/channel.ts";
import type { StreamListener } from "../client/http2/stream.ts";
import { EtcdError, GrpcCode } from "../errors/etcd-error.ts";
import type { GrpcCall, GrpcHandler, Metadata, Peer } from "../transport/grpc.ts";
import type { TurnShare } from "./turn-share.ts";

/** As much as waits for a slow reader before the handler is told to wait. */
const highWaterBytes = 256 * 1024;

const peer: Peer = { address: "in-process", secure: true };

type Sink = { onMessage(message: Uint8Array): void; onHalfClose(): void };

export interface LocalCallOptions {
  readonly path: string;
  readonly metadata: Metadata;
  readonly handler: GrpcHandler;
  readonly listener: StreamListener;
  /** By `performance.now()`. */
  readonly deadlineMs: number | undefined;
  readonly turnShare: TurnShare;
  readonly onOver: (call: LocalCall) => void;
}

export class LocalCall implements GrpcCall, OpenCall {
  readonly peer = peer;
  readonly #options: LocalCallOptions;
  cancelled = false;
  pendingBytes = 0;
  /** Between client and handler. */
  #request: Uint8Array | undefined;
  #sink: Sink | undefined;
  readonly #unread: (Uint8Array | "half-close")[] = [];
  #isPaused = false;
  /** Between handler and client. */
  readonly #answers: Uint8Array[] = [];
  #isHeldBack = false;
  #wantsDrain = false;
  #end: { readonly error: EtcdError | undefined } | undefined;
  #isOver = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onCancel: (() => void)[] = [];
  readonly #onDrain: (() => void)[] = [];

  constructor(options: LocalCallOptions) {
    this.#options = options;
    const { handler, deadlineMs } = options;
    if (handler.kind === "stream") this.#sink = this.#guarded(() => handler.open(this));
    if (deadlineMs === undefined) return;
    const late = new EtcdError(GrpcCode.deadlineExceeded, "context deadline exceeded");
    this.#timer = setTimeout(() => this.giveUp(late), Math.max(0, deadlineMs - performance.now()));
  }

  get path(): string {
    return this.#options.path;
  }

  get metadata(): Metadata {
    return this.#options.metadata;
  }

  get timeoutMs(): number | undefined {
    const { deadlineMs } = this.#options;
    return deadlineMs === undefined ? undefined : Math.max(0, deadlineMs - performance.now());
  }

  // ---- the client's side ----

  send(message: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#options.handler.kind === "single") this.#request = message;
    else this.#unread.push(message);
    this.#read();
  }

  halfClose(): void {
    if (this.#isOver) return;
    const { handler } = this.#options;
    if (handler.kind === "stream") {
      this.#unread.push("half-close");
      this.#read();
      return;
    }
    const request = this.#request ?? new Uint8Array(0);
    this.#options.turnShare.run(() => {
      if (!this.#isOver) this.#guarded(() => handler.onRequest(this, request));
    });
  }

  take(): void {
    this.#isHeldBack = false;
    this.#deliver();
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#tellCancelled();
  }

  /** Ends the call from outside of both: its time is up, or the server stops. */
  giveUp(error: EtcdError): void {
    if (this.#isOver) return;
    this.#finish();
    this.#options.listener.onEnd(error, false);
    this.#tellCancelled();
  }

  #read(): void {
    while (!this.#isPaused && !this.#isOver && this.#unread.length > 0) {
      const next = this.#unread.shift()!;
      this.#guarded(() => (next === "half-close" ? this.#sink?.onHalfClose() : this.#sink?.onMessage(next)));
    }
  }

  /** What a handler throws ends the call. */
  #guarded<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.fail(EtcdError.from(error));
      return undefined;
    }
  }

  // ---- the handler's side ----

  onCancel(callback: () => void): void {
    if (this.cancelled) callback();
    else this.#onCancel.push(callback);
  }

  respond(message: Uint8Array): void {
    this.write(message);
    this.end();
  }

  respondParts(parts: readonly Uint8Array[]): void {
    this.respond(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  }

  sendHeaders(): void {}

  write(message: Uint8Array): boolean {
    if (this.#isOver || this.#end) return true;
    this.#answers.push(message);
    this.pendingBytes += message.length;
    this.#deliver();
    this.#wantsDrain = this.pendingBytes > highWaterBytes;
    return !this.#wantsDrain;
  }

  onDrain(callback: () => void): void {
    this.#onDrain.push(callback);
  }

  end(): void {
    this.#end ??= { error: undefined };
    this.#deliver();
  }

  fail(error: EtcdError): void {
    this.#end ??= { error };
    this.#deliver();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#read();
  }

  // ---- between them ----

  #deliver(): void {
    const { listener } = this.#options;
    while (!this.#isHeldBack && !this.#isOver && this.#answers.length > 0) {
      const message = this.#answers.shift()!;
      this.pendingBytes -= message.length;
      this.#isHeldBack = !listener.onMessage(message);
    }
    if (this.#isOver) return;
    if (this.#end && this.#answers.length === 0) {
      const { error } = this.#end;
      this.#finish();
      listener.onEnd(error, false);
    } else if (this.#wantsDrain && this.pendingBytes < highWaterBytes / 2) {
      this.#wantsDrain = false;
      for (const callback of this.#onDrain) callback();
    }
  }

  #finish(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#answers.length = 0;
    this.#unread.length = 0;
    this.#options.onOver(this);
  }

  #tellCancelled(): void {
    this.cancelled = true;
    for (const callback of this.#onCancel.splice(0)) callback();
  }
}

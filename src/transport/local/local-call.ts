/**
 * A gRPC call that comes from this process and not from a socket: how JSON, gRPC-web and Connect reach the very
 * handlers that gRPC clients reach. Messages are bytes, as everywhere in the transport.
 */
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { PendingAnswer } from "../../lib/answer-room.ts";
import { goQuote } from "../../lib/go-quote.ts";
import type { GrpcCall, GrpcHandler, GrpcRoutes, Metadata, Peer } from "../grpc.ts";
import type { CallRecord, CallRecords } from "../grpc-server/call-records.ts";

/** Above this many waiting bytes `write` says false; under half of it `onDrain` is called. */
export const localHighWaterBytes = 256 * 1024;
/** A handler that goes on although `write` says false fails its call when this much waits. */
export const localPendingMaxBytes = 128 * 1024 * 1024;

/** Smaller ones are all counted against the connection's room. */
const largeAnswerBytes = 1024 * 1024;
/** A shorter timeout is over at once. */
const leastTimeoutMs = 0.001;
/** The longest that a timer of the runtime can wait. */
const timerMsMax = 2 ** 31 - 1;

/** One message: the concatenation of its parts. */
export type MessageParts = readonly Uint8Array[];

type StreamSink = { onMessage(message: Uint8Array): void; onHalfClose(): void };

export interface LocalCallOptions {
  readonly path: string;
  readonly metadata: Metadata;
  readonly peer: Peer;
  readonly timeoutMs?: number | undefined;
  /** Where the call is counted, if anywhere. */
  readonly records?: CallRecords | undefined;
}

export class LocalCall implements GrpcCall {
  readonly path: string;
  readonly metadata: Metadata;
  readonly peer: Peer;
  cancelled = false;
  pendingBytes = 0;

  readonly #deadlineMs: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #handler: GrpcHandler;
  readonly #record: CallRecord | undefined;
  /** Of a call with one request, for its record. */
  #request: Uint8Array | undefined;
  #response: MessageParts = [];
  #sink: StreamSink | undefined;
  #dispatched = false;

  #answers: MessageParts[] = [];
  /** Of messages that wait, or that the client is at: so much of its connection's room. */
  #roomBytes = 0;
  #takenBytes = 0;
  /** The status, once there is one; messages that wait come before it. */
  #status: EtcdError | "ok" | undefined;
  #wake: (() => void) | undefined;
  #wantsDrain = false;

  #paused = false;
  #onResume: (() => void)[] = [];
  #onCancel: (() => void)[] = [];
  #onDrain: (() => void)[] = [];

  /** Opens the call. What is not in `routes` fails as grpc-go says it. */
  constructor(routes: GrpcRoutes, options: LocalCallOptions) {
    this.path = options.path;
    this.metadata = options.metadata;
    this.peer = options.peer;
    this.#record = options.records?.begin(options.path);
    this.#handler = routes.get(options.path) ?? notServed(routes, options.path);
    const { timeoutMs } = options;
    this.#deadlineMs = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.#expire(), Math.min(timeoutMs, timerMsMax));
      // What is over before anybody can look at the clock reaches no handler.
      if (timeoutMs <= leastTimeoutMs) this.#expire();
    }
    if (this.isOver) return;
    if (this.#handler.kind === "stream") {
      const { open } = this.#handler;
      this.#guard(() => {
        this.#sink = open.call(this.#handler, this);
      });
    }
  }

  // ---- the client's side ----

  /** Hands in a message. What it returns resolves when the handler wants the next one. */
  async send(message: Uint8Array): Promise<void> {
    if (this.#paused && !this.isOver) await new Promise<void>((resolve) => this.#onResume.push(resolve));
    if (this.isOver) return;
    const handler = this.#handler;
    this.#record?.received(message.length);
    if (handler.kind === "stream") {
      this.#guard(() => this.#sink?.onMessage(message));
    } else if (!this.#dispatched) {
      this.#dispatched = true;
      this.#request = message;
      this.#guard(() => handler.onRequest(this, message));
    }
  }

  /** There are no more messages. */
  halfClose(): void {
    if (this.isOver) return;
    if (this.#handler.kind === "stream") this.#guard(() => this.#sink?.onHalfClose());
    else if (!this.#dispatched) this.fail(new EtcdError(GrpcCode.unknown, "EOF"));
  }

  /**
   * The next message of the answer, undefined after the last. Throws the call's error. One caller at a time, who is done
   * with the message before; whoever does not go on to the end calls `release`.
   */
  async next(): Promise<MessageParts | undefined> {
    this.#changeRoom(-this.#takenBytes);
    this.#takenBytes = 0;
    for (;;) {
      const parts = this.#answers.shift();
      if (parts !== undefined) {
        this.#takenBytes = sizeOf(parts);
        this.#taken(this.#takenBytes);
        return parts;
      }
      if (this.#status === "ok") return undefined;
      if (this.#status !== undefined) throw this.#status;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The client went away, or wants no more. */
  cancel(): void {
    if (this.#status === undefined) this.#cancelWith(new EtcdError(GrpcCode.canceled, "context canceled"));
    this.release();
  }

  /** Nothing of what was answered is kept any more. */
  release(): void {
    this.#answers = [];
    this.#changeRoom(-this.#roomBytes);
    this.#takenBytes = 0;
  }

  #kept(): PendingAnswer {
    const bytes = () => this.#roomBytes;
    return {
      get pendingBytes() {
        return bytes();
      },
    };
  }

  /** Until they are given back these bytes count against the connection. */
  #changeRoom(bytes: number): void {
    if (bytes === 0) return;
    this.#roomBytes += bytes;
    this.peer.room?.changePending(bytes);
  }

  #expire(): void {
    if (this.#status !== undefined) return;
    this.#cancelWith(new EtcdError(GrpcCode.deadlineExceeded, "context deadline exceeded"));
  }

  #cancelWith(status: EtcdError): void {
    this.release();
    this.#finish(status);
    this.cancelled = true;
    const callbacks = this.#onCancel;
    this.#onCancel = [];
    for (const callback of callbacks) this.#guard(callback);
  }

  // ---- the handler's side ----

  get timeoutMs(): number | undefined {
    return this.#deadlineMs === undefined ? undefined : Math.max(0, this.#deadlineMs - performance.now());
  }

  onCancel(callback: () => void): void {
    if (this.cancelled) callback();
    else this.#onCancel.push(callback);
  }

  onDrain(callback: () => void): void {
    this.#onDrain.push(callback);
  }

  respond(message: Uint8Array): void {
    this.respondParts([message]);
  }

  respondParts(parts: MessageParts): void {
    if (this.isOver) return;
    this.#response = parts;
    this.#queue(parts);
    const { room } = this.peer;
    if (room !== undefined && this.pendingBytes > largeAnswerBytes) room.addLarge(this.#kept());
    this.#finish("ok");
  }

  sendHeaders(): void {}

  write(message: Uint8Array): boolean {
    if (this.isOver) return true;
    this.#queue([message]);
    if (this.pendingBytes > localPendingMaxBytes + message.length) {
      this.#cancelWith(new EtcdError(GrpcCode.resourceExhausted, "the client does not read its answers"));
    }
    if (this.pendingBytes < localHighWaterBytes) return true;
    this.#wantsDrain = true;
    return false;
  }

  end(): void {
    if (!this.isOver) this.#finish("ok");
  }

  fail(error: EtcdError): void {
    if (!this.isOver) this.#finish(error);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const waiting = this.#onResume;
    this.#onResume = [];
    for (const resolve of waiting) resolve();
  }

  /** The call has its status; messages may still wait to be taken. */
  get isOver(): boolean {
    return this.#status !== undefined;
  }

  #queue(parts: MessageParts): void {
    this.#answers.push(parts);
    const bytes = sizeOf(parts);
    this.#record?.sent(bytes);
    this.#changeRoom(bytes);
    this.pendingBytes += bytes;
    this.#notify();
  }

  #taken(bytes: number): void {
    this.pendingBytes -= bytes;
    if (!this.#wantsDrain || this.pendingBytes >= localHighWaterBytes / 2 || this.isOver) return;
    this.#wantsDrain = false;
    for (const callback of this.#onDrain) this.#guard(callback);
  }

  #finish(status: EtcdError | "ok"): void {
    this.#status = status;
    clearTimeout(this.#timer);
    this.#tell(status === "ok" ? GrpcCode.ok : status.code);
    this.resume();
    this.#notify();
  }

  #tell(code: GrpcCode): void {
    const { path, peer } = this;
    this.#record?.ended(code, { path, peer, request: this.#request, response: this.#response });
    this.#request = undefined;
    this.#response = [];
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** What a handler throws ends its call and nothing else. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (cause) {
      this.fail(EtcdError.from(cause));
    }
  }
}

/** All parts as one array. */
export function joinParts(parts: MessageParts): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function sizeOf(parts: MessageParts): number {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  return bytes;
}

function notServed(routes: GrpcRoutes, path: string): GrpcHandler {
  const slash = path.lastIndexOf("/");
  const service = path.slice(1, slash);
  const isKnown = [...routes.keys()].some((route) => route.startsWith(`/${service}/`));
  let message = `unknown service ${service}`;
  if (slash <= 0) message = `malformed method name: ${goQuote(path)}`;
  else if (isKnown) message = `unknown method ${path.slice(slash + 1)} for service ${service}`;
  const error = new EtcdError(GrpcCode.unimplemented, message);
  return { kind: "single", onRequest: (call) => call.fail(error) };
}

/**
 * A gRPC call that comes from this process and not from a socket: how the JSON gateway reaches the very handlers that
 * gRPC clients reach.
 */
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import type { GrpcCall, Metadata, Peer } from "../../transport/grpc.ts";

/** Collects the answer of a call with one response message. */
export class LocalUnaryCall implements GrpcCall {
  readonly path: string;
  readonly metadata: Metadata;
  readonly peer: Peer;
  readonly timeoutMs = undefined;
  readonly pendingBytes = 0;
  readonly answer: Promise<Uint8Array>;
  #resolve!: (message: Uint8Array) => void;
  #reject!: (error: EtcdError) => void;
  #cancelled = false;
  readonly #onCancel: (() => void)[] = [];

  constructor(path: string, headers: Headers, peer: Peer) {
    this.path = path;
    this.peer = peer;
    this.metadata = metadataFromHeaders(headers);
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** The HTTP client went away. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    for (const callback of this.#onCancel) callback();
    this.#reject(new EtcdError(GrpcCode.canceled, "context canceled"));
  }

  onCancel(callback: () => void): void {
    if (this.#cancelled) callback();
    else this.#onCancel.push(callback);
  }

  respond(message: Uint8Array): void {
    this.#resolve(message);
  }

  respondParts(parts: readonly Uint8Array[]): void {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.#resolve(whole);
  }

  fail(error: EtcdError): void {
    this.#reject(error);
  }

  sendHeaders(): void {}

  write(message: Uint8Array): boolean {
    this.#resolve(message);
    return true;
  }

  onDrain(): void {}
  end(): void {}
  pause(): void {}
  resume(): void {}
}

/** grpc-gateway hands on `Authorization`, and any `Grpc-Metadata-X` as `x`. */
function metadataFromHeaders(headers: Headers): Metadata {
  const entries = new Map<string, string>();
  for (const [name, value] of headers) {
    if (name === "authorization") entries.set(name, value);
    else if (name.startsWith("grpc-metadata-")) entries.set(name.slice("grpc-metadata-".length), value);
  }
  return { get: (name) => entries.get(name), entries: () => entries };
}

/** A gRPC call that crosses the simulated network: what the handlers of a member see, and what comes back to its client. */
import type { EtcdError } from "../../../src/errors/etcd-error.ts";
import type { GrpcCall, Metadata } from "../../../src/transport/grpc.ts";

export interface CallEnds {
  onMessage(message: Uint8Array): void;
  /** Undefined for status 0. */
  onEnd(error: EtcdError | undefined): void;
}

const noMetadata: Metadata = { get: () => undefined, entries: () => [] };

export class SimCall implements GrpcCall {
  readonly path: string;
  readonly metadata = noMetadata;
  readonly peer = { address: "sim:1", secure: false };
  readonly timeoutMs = undefined;
  readonly pendingBytes = 0;
  readonly #ends: CallEnds;
  readonly #onCancel: (() => void)[] = [];
  readonly #onDrain: (() => void)[] = [];
  #cancelled = false;
  #ended = false;
  /** The client does not read: what it is sent is too much. */
  isFull = false;

  constructor(path: string, ends: CallEnds) {
    this.path = path;
    this.#ends = ends;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  onCancel(callback: () => void): void {
    if (this.#cancelled) callback();
    else this.#onCancel.push(callback);
  }

  /** The client goes away. */
  cancel(): void {
    if (this.#cancelled || this.#ended) return;
    this.#cancelled = true;
    for (const callback of this.#onCancel) callback();
  }

  respond(message: Uint8Array): void {
    this.write(message);
    this.end();
  }

  respondParts(parts: readonly Uint8Array[]): void {
    this.respond(Uint8Array.from(parts.flatMap((part) => [...part])));
  }

  sendHeaders(): void {}

  write(message: Uint8Array): boolean {
    if (this.#cancelled || this.#ended) return true;
    this.#ends.onMessage(message);
    return !this.isFull;
  }

  onDrain(callback: () => void): void {
    this.#onDrain.push(callback);
  }

  /** The client reads again. */
  drained(): void {
    this.isFull = false;
    for (const callback of this.#onDrain) callback();
  }

  end(): void {
    this.#finish(undefined);
  }

  fail(error: EtcdError): void {
    this.#finish(error);
  }

  #finish(error: EtcdError | undefined): void {
    if (this.#cancelled || this.#ended) return;
    this.#ended = true;
    this.#ends.onEnd(error);
  }

  pause(): void {}
  resume(): void {}
}

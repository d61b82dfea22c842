/**
 * A call that one of our services makes to another, in the name of whoever called it: with the same metadata and from the
 * same peer, so that it is allowed, refused and counted against limits as if the client had made it.
 */
import type { EtcdError } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import type { GrpcCall, Metadata, Peer } from "../../transport/grpc.ts";

export class OwnCall implements GrpcCall {
  readonly path: string;
  readonly metadata: Metadata;
  readonly peer: Peer;
  readonly timeoutMs = undefined;
  readonly pendingBytes = 0;
  /** The user in whose name it is made, if that is known already; otherwise the metadata tell. */
  readonly actsFor: string | undefined;
  /** The first message of the answer. */
  readonly answer: Promise<Uint8Array>;
  readonly #settle: PromiseWithResolvers<Uint8Array>;
  #cancelled = false;
  #onCancel: (() => void)[] = [];

  constructor(path: string, { metadata, peer }: Pick<GrpcCall, "metadata" | "peer">, actsFor?: string) {
    this.path = path;
    this.actsFor = actsFor;
    this.metadata = metadata;
    this.peer = peer;
    this.#settle = Promise.withResolvers();
    this.answer = this.#settle.promise;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    for (const callback of this.#onCancel.splice(0)) callback();
    this.#settle.reject(errors.contextCanceled());
  }

  onCancel(callback: () => void): void {
    if (this.#cancelled) callback();
    else this.#onCancel.push(callback);
  }

  respond(message: Uint8Array): void {
    this.#onCancel = [];
    this.#settle.resolve(message);
  }

  respondParts(parts: readonly Uint8Array[]): void {
    this.respond(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  }

  write(message: Uint8Array): boolean {
    this.respond(message);
    return true;
  }

  fail(error: EtcdError): void {
    this.#onCancel = [];
    this.#settle.reject(error);
  }

  sendHeaders(): void {}
  onDrain(): void {}
  end(): void {}
  pause(): void {}
  resume(): void {}
}

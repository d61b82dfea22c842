/** Methods that go on to a server as they came: one request, and one answer or a stream of them. */
import type { OpenCall } from "../../client/channel.ts";
import type { StreamListener } from "../../client/http2/stream.ts";
import { DecodeError } from "../../codec/protowire-read.ts";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import { finish, type Steps } from "../../lib/steps.ts";
import type { GrpcCall, SingleRequestHandler } from "../../transport/grpc.ts";
import { deadlineOf, metadataOf, type Upstream } from "./upstream.ts";

/** What happens to messages on their way. */
export interface Edits {
  /** Throws an EtcdError for a request that is refused. */
  readonly request?: (message: Uint8Array) => Uint8Array;
  readonly response?: (message: Uint8Array) => Steps<readonly Uint8Array[]>;
}

/** A larger answer is edited in slices, between which others have their turn. */
const editAtOnceBytes = 128 * 1024;
const sliceMs = 4;

export function passUnary(upstream: Upstream, path: string, edits: Edits = {}): SingleRequestHandler {
  return {
    kind: "single",
    onRequest(call, message) {
      const passage = new Passage(upstream, path, call, edits);
      passage.run(message, false);
    },
  };
}

export function passServerStream(upstream: Upstream, path: string, edits: Edits = {}): SingleRequestHandler {
  return {
    kind: "single",
    onRequest(call, message) {
      const passage = new Passage(upstream, path, call, edits);
      passage.run(message, true);
    },
  };
}

/** One call on its way. */
class Passage {
  readonly #upstream: Upstream;
  readonly #path: string;
  readonly #call: GrpcCall;
  readonly #edits: Edits;
  /** While it waits for a connection. */
  #gone: AbortController | undefined;
  #leave: (() => void) | undefined;
  #isOver = false;
  #heard = false;
  #open: OpenCall | undefined;
  /** The answer to a call that has one. */
  #answer: Uint8Array | undefined;

  constructor(upstream: Upstream, path: string, call: GrpcCall, edits: Edits) {
    this.#upstream = upstream;
    this.#path = path;
    this.#call = call;
    this.#edits = edits;
  }

  run(message: Uint8Array, isStream: boolean): void {
    const call = this.#call;
    let request: Uint8Array;
    try {
      request = this.#edits.request?.(message) ?? message;
      this.#leave = this.#upstream.enter(request.length);
    } catch (error) {
      call.fail(refusalOf(error));
      return;
    }
    call.onCancel(() => {
      this.#end();
      this.#gone?.abort();
      this.#open?.cancel();
    });
    if (isStream) {
      call.onDrain(() => this.#open?.take());
      call.sendHeaders();
    }
    this.#begin(request, isStream, { metadata: metadataOf(call.metadata), deadlineMs: deadlineOf(call) });
  }

  #begin(request: Uint8Array, isStream: boolean, options: Parameters<Upstream["openNow"]>[2]): void {
    const listener: StreamListener = {
      onMessage: (message) => (isStream ? this.#onPart(message) : this.#onAnswer(message)),
      onEnd: (error, isUnseen) => {
        if (this.#isOver) return;
        // It was never taken up, so that it may be made again without a word.
        if (isUnseen && !this.#heard) this.#begin(request, isStream, options);
        else if (error !== undefined) this.#fail(error);
        else this.#succeed(isStream);
      },
    };
    try {
      const open = this.#upstream.openNow(this.#path, listener, options);
      if (open !== undefined) this.#send(open, request);
      else void this.#wait(request, listener, options).catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  async #wait(
    request: Uint8Array,
    listener: StreamListener,
    options: Parameters<Upstream["openNow"]>[2],
  ): Promise<void> {
    this.#gone = new AbortController();
    const { signal } = this.#gone;
    this.#send(await this.#upstream.open(this.#path, listener, { ...options, signal }), request);
  }

  #send(open: OpenCall, request: Uint8Array): void {
    if (this.#isOver) {
      open.cancel();
      return;
    }
    this.#open = open;
    open.send(request);
    open.halfClose();
  }

  #onAnswer(message: Uint8Array): boolean {
    this.#heard = true;
    this.#answer = message;
    return true;
  }

  #onPart(message: Uint8Array): boolean {
    this.#heard = true;
    if (this.#edits.response === undefined) return this.#call.write(message);
    // Parts of a stream are small.
    return this.#call.write(joined(finish(this.#edits.response(message))));
  }

  #succeed(isStream: boolean): void {
    const answer = this.#answer;
    if (!isStream && answer === undefined) {
      this.#fail(new EtcdError(GrpcCode.internal, "cardinality violation: no answer"));
      return;
    }
    this.#end();
    if (isStream) this.#call.end();
    else if (this.#edits.response === undefined) this.#call.respond(answer!);
    else void this.#respondEdited(this.#edits.response(answer!), answer!.length);
  }

  async #respondEdited(steps: Steps<readonly Uint8Array[]>, size: number): Promise<void> {
    try {
      const parts = size < editAtOnceBytes ? finish(steps) : await inSlices(steps);
      if (!this.#call.cancelled) this.#call.respondParts(parts);
    } catch (error) {
      this.#call.fail(EtcdError.from(error));
    }
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#end();
    this.#call.fail(EtcdError.from(error));
  }

  #end(): void {
    this.#isOver = true;
    this.#leave?.();
    this.#leave = undefined;
  }
}

async function inSlices<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const until = performance.now() + sliceMs;
    do {
      const next = steps.next();
      if (next.done) return next.value;
    } while (performance.now() < until);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 1 ? parts[0]! : Buffer.concat(parts);

/** A request that cannot be read is refused in grpc-go's words. */
export function refusalOf(error: unknown): EtcdError {
  if (!(error instanceof DecodeError)) return EtcdError.from(error);
  return new EtcdError(GrpcCode.internal, `grpc: error unmarshalling request: ${error.message}`);
}

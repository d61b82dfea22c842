/**
 * What both HTTP versions have in common on the way from a request to a fetch handler and back.
 */
import type { FetchHandler, Peer } from "../grpc.ts";

/** Where a response goes. */
export interface ResponseSink {
  /** Status and headers. `hasBody` false: that is all. Otherwise they may wait for the body, or for `flush`. */
  begin(status: number, headers: Headers, hasBody: boolean): void;
  /** A piece of the body. Resolves when the next one is welcome. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** What has begun must not wait for the body any longer. */
  flush(): void;
  /** `last`: the rest of the body, if there is any. */
  end(last?: Uint8Array): void;
  /** The response cannot be completed. */
  abort(): void;
  /** Whether anybody still wants the rest. */
  readonly isGone: boolean;
}

/** Statuses that have no body (RFC 9110). */
function forbidsBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/**
 * Runs `handler` and streams what it answers into `sink`. Never rejects: a handler that throws is answered with 500,
 * and told to `onError`.
 */
export async function answer(
  handler: FetchHandler,
  request: Request,
  peer: Peer,
  sink: ResponseSink,
  onError: (cause: unknown) => void,
): Promise<void> {
  let response: Response;
  try {
    response = await handler(request, peer);
  } catch (cause) {
    if (!request.signal.aborted) onError(cause);
    response = new Response("Internal Server Error\n", { status: 500 });
  }
  if (sink.isGone) {
    await response.body?.cancel().catch(() => {});
    return;
  }
  try {
    await send(response, request.method, sink);
  } catch (cause) {
    if (!sink.isGone) onError(cause);
    sink.abort();
  }
}

async function send(response: Response, method: string, sink: ResponseSink): Promise<void> {
  const { body } = response;
  if (body === null || method === "HEAD" || forbidsBody(response.status)) {
    sink.begin(response.status, response.headers, false);
    await body?.cancel().catch(() => {});
    return;
  }
  sink.begin(response.status, response.headers, true);
  const out = new WholeOrStreamed(sink);
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return out.end();
      await out.write(value);
      if (!sink.isGone) continue;
      await reader.cancel().catch(() => {});
      return;
    }
  } finally {
    out.stopWaiting();
  }
}

/**
 * An answer that is there as a whole goes as a whole, in one packet, so that a client that gives up as soon as it knows
 * the status has the text too. One that is still being made waits for no more than a turn of the event loop, and then
 * its head and what there is go first.
 */
class WholeOrStreamed {
  readonly #sink: ResponseSink;
  readonly #turn: NodeJS.Immediate;
  #held: Uint8Array | undefined;
  #isStreamed = false;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
    this.#turn = setImmediate(() => this.#stream());
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (!this.#isStreamed && this.#held === undefined) {
      this.#held = bytes;
      return undefined;
    }
    this.#stream();
    return this.#sink.write(bytes);
  }

  end(): void {
    this.stopWaiting();
    this.#sink.end(this.#held);
  }

  stopWaiting(): void {
    clearImmediate(this.#turn);
  }

  #stream(): void {
    if (this.#isStreamed) return;
    this.#isStreamed = true;
    this.stopWaiting();
    const held = this.#held;
    this.#held = undefined;
    // One piece more than there is room for does no harm: the next one waits.
    if (held === undefined) this.#sink.flush();
    else void this.#sink.write(held);
  }
}

/** A plain answer of the transport itself. */
export function plainResponse(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}

/**
 * What both HTTP versions have in common on the way from a request to a fetch handler and back.
 */
import type { FetchHandler, Peer } from "../grpc.ts";

/** Where a response goes. */
export interface ResponseSink {
  /** Status and headers. `hasBody` false: that is all. */
  begin(status: number, headers: Headers, hasBody: boolean): void;
  /** A piece of the body. Resolves when the next one is welcome. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  end(): void;
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
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    await sink.write(value);
    if (sink.isGone) {
      await reader.cancel().catch(() => {});
      return;
    }
  }
  sink.end();
}

/** A plain answer of the transport itself. */
export function plainResponse(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}

/** How much of large answers is kept for clients that have not read them: a large answer is one piece until it is sent. */
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";

/** Smaller answers are not counted. */
export const largeAnswerBytes = 4 * 1024 * 1024;
/** Of all large answers together. */
export const largeAnswersBytesMax = 128 * 1024 * 1024;

export class AnswerBudget {
  #usedBytes = 0;

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Throws ResourceExhausted if there is no room; otherwise gives what gives the room back, if any was taken. */
  take(bytes: number): (() => void) | undefined {
    if (bytes <= largeAnswerBytes) return undefined;
    if (this.#usedBytes + bytes > largeAnswersBytesMax) {
      throw new EtcdError(GrpcCode.resourceExhausted, "too many large answers wait for their readers");
    }
    this.#usedBytes += bytes;
    let isTaken = true;
    return () => {
      if (isTaken) this.#usedBytes -= bytes;
      isTaken = false;
    };
  }
}

/** `response`, with `release` called when its body has been read or nobody wants it. */
export function releasing(response: Response, release: () => void): Response {
  const reader = response.body?.getReader();
  if (reader === undefined) {
    release();
    return response;
  }
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            controller.enqueue(value);
            return;
          }
          release();
          controller.close();
        } catch (cause) {
          release();
          controller.error(cause);
        }
      },
      async cancel(reason) {
        release();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { status: response.status, headers: response.headers });
}

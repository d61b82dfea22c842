/** After so much time at a stretch the event loop gets its turn. */
const stretchMs = 4;

/**
 * A response body of pieces of text. `next` is asked for one when the reader has taken the last, so a slow reader costs
 * no memory; undefined is the end. `cancel` is told that the reader wants no more.
 */
export function streamOf(
  next: () => Promise<string | undefined>,
  cancel: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let busySince = performance.now();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (performance.now() - busySince > stretchMs) {
          await new Promise((resolve) => setImmediate(resolve));
          busySince = performance.now();
        }
        const piece = await next();
        if (piece === undefined) controller.close();
        else controller.enqueue(encoder.encode(piece));
      },
      cancel,
    },
    { highWaterMark: 0 },
  );
}

/**
 * A `fetch` whose connection is closed when the call is given up. Deno's own keeps it open now and then, so that a server
 * cannot notice.
 */
import { request } from "node:http";
import { Readable } from "node:stream";

export const leavingFetch: typeof fetch = async (input, init) => {
  const { url, method, headers, body, signal } = new Request(input, init);
  const bytes = body === null ? undefined : new Uint8Array(await new Response(body).arrayBuffer());
  return new Promise<Response>((resolve, reject) => {
    const options = { method, headers: Object.fromEntries(headers), agent: false as const };
    const call = request(url, options, (answer) => {
      const stream = Readable.toWeb(answer) as ReadableStream<Uint8Array>;
      const answerHeaders = Object.entries(answer.headers).map(([name, value]): [string, string] => [
        name,
        String(value),
      ]);
      resolve(new Response(stream, { status: answer.statusCode ?? 500, headers: answerHeaders }));
    });
    call.on("error", reject);
    signal.addEventListener("abort", () => call.destroy());
    call.end(bytes);
  });
};

/** Everything else on the members' port, as a fetch handler answers it. Bodies are small on the way in. */
import type { Exchange } from "../http1/exchange.ts";

export type FallbackHandler = (request: Request) => Response | Promise<Response>;

/** Bytes of a request body. */
const bodyBytesMax = 16 * 1024 * 1024;

export async function handleFallback(exchange: Exchange, handler: FallbackHandler): Promise<void> {
  const { method, head } = exchange;
  let body: Uint8Array;
  try {
    body = await exchange.readBody(bodyBytesMax);
  } catch {
    exchange.refuse(413, "request body too large");
    return;
  }
  let request: Request;
  try {
    const withBody = method === "GET" || method === "HEAD" || body.length === 0 ? {} : { body };
    const url = new URL(head.path + queryOf(head.target), "http://localhost");
    request = new Request(url, { method, headers: [...head.headers], ...withBody } as RequestInit);
  } catch {
    exchange.refuse(400, "bad request");
    return;
  }
  const response = await handler(request);
  const headers = Object.fromEntries(response.headers);
  exchange.respond(response.status, headers, new Uint8Array(await response.arrayBuffer()));
}

function queryOf(target: string): string {
  return /\?[^#]*/.exec(target)?.[0] ?? "";
}

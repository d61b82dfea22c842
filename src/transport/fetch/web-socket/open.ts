/** Says yes or no to who asks for a WebSocket. */
import { STATUS_CODES } from "node:http";
import { headersOf } from "../upgrade.ts";
import { refusalStatus } from "./handshake.ts";
import { WebSocketConnection, type WebSocketOptions } from "./web-socket.ts";

type Opening = Pick<WebSocketOptions, "incoming" | "socket" | "url" | "peer"> & { readonly head: Buffer };

/** Undefined if it was refused; then the connection is closed. */
export async function openWebSocket(
  opening: Opening,
  service: Pick<WebSocketOptions, "handler" | "limits" | "timers" | "onError">,
): Promise<WebSocketConnection | undefined> {
  const { incoming, socket, head, url, peer } = opening;
  const request = new Request(url, { headers: headersOf(incoming) });
  const refusal = await service.handler.webSockets!.check(request, peer);
  if (socket.destroyed) return undefined;
  if (refusal !== undefined) {
    await refuse(opening, refusal);
    return undefined;
  }
  const status = refusalStatus(incoming);
  if (status !== undefined) {
    const headers = {
      "Content-Type": "text/plain; charset=utf-8",
      "Sec-WebSocket-Version": "13",
      "X-Content-Type-Options": "nosniff",
    };
    await refuse(opening, new Response(`${STATUS_CODES[status]}\n`, { status, headers }));
    return undefined;
  }
  // Frames before the answer to the opening: as in etcd, that is the end.
  if (head.length > 0) {
    socket.destroy();
    return undefined;
  }
  return new WebSocketConnection({ ...opening, ...service });
}

async function refuse({ socket }: Opening, response: Response): Promise<void> {
  const body = await response.text();
  const { status, headers } = response;
  headers.set("connection", "close");
  headers.set("content-length", String(Buffer.byteLength(body)));
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  socket.on("error", () => {});
  socket.resume();
  socket.end(`${text}\r\n${body}`, () => socket.destroy());
}

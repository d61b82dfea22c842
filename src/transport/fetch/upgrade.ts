/** Requests that would rather speak another protocol (RFC 9110, 7.8). */
import type { IncomingMessage } from "node:http";

const tokens = (value: string | undefined): string[] =>
  (value ?? "").split(",").map((token) => token.trim().toLowerCase());

/** Whether it is a WebSocket that is wanted. */
export function asksForWebSocket({ headers }: Pick<IncomingMessage, "headers">): boolean {
  return tokens(headers.connection).includes("upgrade") && tokens(headers.upgrade).includes("websocket");
}

export function headersOf({ rawHeaders }: Pick<IncomingMessage, "rawHeaders">): Headers {
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at]!, rawHeaders[at + 1]!);
  return headers;
}

const wishes: ReadonlySet<string> = new Set(["upgrade", "connection", "http2-settings"]);

/** The head of the request as it came, without what it would rather speak. */
export function writePlainly({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (!wishes.has(rawHeaders[at]!.toLowerCase())) text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
  }
  return Buffer.from(`${text}\r\n`, "latin1");
}

/** The opening of a WebSocket (RFC 6455, 4.2), and the request that it stands for. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Appended to the client's key (RFC 6455, 1.3). */
const keySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The status that a wrong opening is refused with; undefined if nothing is wrong. */
export function refusalStatus({ method, headers }: IncomingMessage): 400 | 405 | undefined {
  if (method !== "GET") return 405;
  const versions = String(headers["sec-websocket-version"] ?? "").split(",");
  if (!versions.some((version) => version.trim() === "13")) return 400;
  const key = headers["sec-websocket-key"] ?? "";
  return /^[A-Za-z0-9+/]{22}==$/.test(key) ? undefined : 400;
}

/** What is said to a client whose opening is right. */
export function acceptance({ headers }: IncomingMessage): string {
  const accept = createHash("sha1").update(`${headers["sec-websocket-key"]}${keySuffix}`).digest("base64");
  const named = headers["sec-websocket-protocol"]?.startsWith("Bearer")
    ? "Sec-WebSocket-Protocol: Bearer\r\n"
    : "";
  return (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${accept}\r\n${named}\r\n`
  );
}

/**
 * The headers of the request behind a WebSocket. A page cannot set `Authorization`, so a token comes as the
 * subprotocols "Bearer, TOKEN" or as a cookie named `token`.
 */
export function requestHeaders({ headers }: IncomingMessage): Headers {
  const own = new Headers();
  const protocol = headers["sec-websocket-protocol"];
  if (protocol !== undefined && protocol !== "") {
    const at = protocol.indexOf("Bearer,");
    own.set("authorization", at < 0 ? "" : `Bearer ${protocol.slice(at + "Bearer,".length).trim()}`);
  }
  for (const name of ["origin", "referer"] as const) {
    const value = headers[name];
    if (typeof value === "string") own.set(name, value);
  }
  const cookie = /(?:^|;)\s*token=("?)([^;"\s]*)\1\s*(?:;|$)/.exec(headers.cookie ?? "");
  if (cookie) own.set("authorization", `Bearer ${cookie[2]}`);
  return own;
}

/**
 * The smallest possible HTTP/1.1 client: one connection a request, nothing kept. A pooled client would remember the
 * connections of a server that was killed.
 */
import { connect } from "node:net";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

export const httpGet = (port: number, path: string, timeoutMs = 30_000): Promise<HttpAnswer> =>
  request(port, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`, timeoutMs);

/** Posts JSON: the gateway's `/v3/kv/put` and so on. */
export function httpPost(
  port: number,
  path: string,
  text: string,
  timeoutMs = 30_000,
  headers: readonly string[] = [],
): Promise<HttpAnswer> {
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(text)}`,
    "Connection: close",
    ...headers,
  ];
  return request(port, `${head.join("\r\n")}\r\n\r\n${text}`, timeoutMs);
}

/** Posts JSON to the gateway, which must answer well. */
export async function postJson<T = Record<string, unknown>>(
  port: number,
  path: string,
  body: unknown,
  headers: readonly string[] = [],
): Promise<T> {
  const answer = await httpPost(port, path, JSON.stringify(body), undefined, headers);
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body}`);
  return JSON.parse(answer.body) as T;
}

function request(port: number, text: string, timeoutMs: number): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const chunks: Buffer[] = [];
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    socket.on("connect", () => socket.write(text));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => {
      try {
        resolve(parse(Buffer.concat(chunks).toString()));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function parse(text: string): HttpAnswer {
  const end = text.indexOf("\r\n\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1]);
  if (end < 0 || Number.isNaN(status)) throw new Error("the connection ended without an answer");
  const headers = text.slice(0, end);
  const rest = text.slice(end + 4);
  const chunked = /^transfer-encoding:\s*chunked/im.test(headers);
  return { status, headers, body: chunked ? dechunk(rest) : rest };
}

/** Sizes count bytes; answers here are ASCII (JSON, base64), so characters are bytes. */
function dechunk(text: string): string {
  let body = "";
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(size)) throw new Error("a broken chunked answer");
    if (size === 0) return body;
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}

/**
 * Heads of HTTP/1.1 messages: strict reading (RFC 9112), because every leniency is a way to be misunderstood, and
 * writing.
 */
import { Buffer } from "node:buffer";
import type { Http1Limits } from "./limits.ts";

/** The other side does not speak HTTP/1.1 as it should, or too much of it. */
export class HttpError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "HttpError";
  }
}

/** Names are lower case; what came several times is joined by ", ". */
export type HttpHeaders = ReadonlyMap<string, string>;

export interface RequestHead {
  readonly method: string;
  /** The target's path, without the query. */
  readonly path: string;
  readonly target: string;
  readonly headers: HttpHeaders;
  readonly keepAlive: boolean;
  readonly body: BodyKind;
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly keepAlive: boolean;
  readonly body: BodyKind;
}

/** How long a body is: so many bytes (0 for none), or until the last chunk (-1), or until the connection ends (-2). */
export type BodyKind = number;
export const chunked = -1;
export const untilClose = -2;

const requestLine = /^([A-Z]{1,16}) (\S+) HTTP\/1\.([01])$/;
const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [^\r\n]*)?$/;
const fieldLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/** `lines` are those of a head, without line ends. */
export function parseRequestHead(lines: readonly string[], limits: Http1Limits): RequestHead {
  const match = requestLine.exec(lines[0] ?? "");
  if (match === null) throw new HttpError("malformed request line");
  const target = match[2]!;
  // A proxy's form, "http://host/path", names the same thing.
  const origin = /^https?:\/\/[^/]*(\/.*)?$/.exec(target);
  const path = (origin ? (origin[1] ?? "/") : target).replace(/[?#].*$/s, "");
  const headers = parseHeaders(lines, 1, limits);
  const body = framing(headers) ?? 0;
  return { method: match[1]!, path, target, headers, keepAlive: keepsAlive(match[3]!, headers), body };
}

export function parseResponseHead(lines: readonly string[], limits: Http1Limits): ResponseHead {
  const match = statusLine.exec(lines[0] ?? "");
  if (match === null) throw new HttpError("malformed status line");
  const status = Number(match[2]);
  const headers = parseHeaders(lines, 1, limits);
  const without = status < 200 || status === 204 || status === 304;
  const body = without ? 0 : (framing(headers) ?? untilClose);
  const keepAlive = body !== untilClose && keepsAlive(match[1]!, headers);
  return { status, headers, keepAlive, body };
}

export function parseHeaders(lines: readonly string[], first: number, limits: Http1Limits): HttpHeaders {
  if (lines.length - first > limits.headers) throw new HttpError("too many headers");
  const headers = new Map<string, string>();
  for (let i = first; i < lines.length; i++) {
    const match = fieldLine.exec(lines[i]!);
    if (match === null) throw new HttpError("malformed header");
    const name = match[1]!.toLowerCase();
    const before = headers.get(name);
    if (
      before !== undefined &&
      (name === "content-length" || name === "transfer-encoding" || name === "host")
    ) {
      throw new HttpError(`${name} comes twice`);
    }
    headers.set(name, before === undefined ? match[2]! : `${before}, ${match[2]}`);
  }
  return headers;
}

/** What the headers say about the body's length; undefined if they say nothing. */
function framing(headers: HttpHeaders): BodyKind | undefined {
  const encoding = headers.get("transfer-encoding");
  const length = headers.get("content-length");
  if (encoding !== undefined) {
    if (length !== undefined) throw new HttpError("a body with two lengths");
    if (encoding.toLowerCase() !== "chunked") throw new HttpError(`transfer coding ${encoding}`);
    return chunked;
  }
  if (length === undefined) return undefined;
  if (!/^\d{1,15}$/.test(length)) throw new HttpError("malformed content-length");
  return Number(length);
}

function keepsAlive(minor: string, headers: HttpHeaders): boolean {
  const options = headers.get("connection")?.toLowerCase() ?? "";
  if (minor === "0") return false;
  return !/(?:^|,)\s*close\s*(?:,|$)/.test(options);
}

/** Splits the bytes of a head (without the empty line at its end) into lines. */
export function headLines(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const lines = text.split("\r\n");
  for (const line of lines) {
    // A lone CR or LF, or a NUL, is read differently by others.
    if (/[\r\n\0]/.test(line)) throw new HttpError("stray control character in a head");
  }
  return lines;
}

/** A head as bytes. Values must not hold line ends: ours are ids, versions and URLs, checked when they came in. */
export function writeHead(startLine: string, headers: Readonly<Record<string, string>>): Buffer {
  let text = `${startLine}\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (/[\r\n]/.test(value)) throw new HttpError(`line end in header ${name}`);
    text += `${name}: ${value}\r\n`;
  }
  return Buffer.from(`${text}\r\n`, "latin1");
}

const reasons: Readonly<Record<number, string>> = {
  100: "Continue",
  200: "OK",
  204: "No Content",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  410: "Gone",
  412: "Precondition Failed",
  413: "Request Entity Too Large",
  417: "Expectation Failed",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

export function reasonOf(status: number): string {
  return reasons[status] ?? `status code ${status}`;
}

import { ErrorCode, StreamError } from "./protocol.ts";

/** What a header list says. */
export interface RequestHeadParts {
  readonly method: string;
  readonly path: string;
  readonly scheme: string;
  /** `:authority`, undefined if it was missing. */
  readonly authority: string | undefined;
  /** -1 without a content-length. */
  readonly contentLength: number;
  readonly contentType: string | undefined;
  /** The regular fields: name, value, name, value ... */
  readonly fields: readonly string[];
  /** How many strings of the list the pseudo-headers were. */
  readonly pseudoLength: number;
}

/** A request's header list, checked (RFC 9113, 8.2 and 8.3). May be shared by many requests: never changed. */
export class RequestHead implements RequestHeadParts {
  readonly method: string;
  readonly path: string;
  readonly scheme: string;
  readonly authority: string | undefined;
  readonly contentLength: number;
  readonly contentType: string | undefined;
  readonly fields: readonly string[];
  readonly pseudoLength: number;
  /** What the application made of it, so that a head seen again costs nothing. */
  plan: unknown = undefined;
  /** A head that says the same but for its `grpc-timeout`. */
  basis: RequestHead | undefined = undefined;

  constructor(options: RequestHeadParts) {
    this.method = options.method;
    this.path = options.path;
    this.scheme = options.scheme;
    this.authority = options.authority;
    this.contentLength = options.contentLength;
    this.contentType = options.contentType;
    this.fields = options.fields;
    this.pseudoLength = options.pseudoLength;
  }

  /** A head with other regular fields, which differ only in their `grpc-timeout`. */
  withFields(fields: readonly string[]): RequestHead {
    const { method, path, scheme, authority, contentLength, contentType, pseudoLength } = this;
    const parts = { method, path, scheme, authority, contentLength, contentType, pseudoLength, fields };
    const head = new RequestHead(parts);
    head.basis = this;
    return head;
  }
}

/** Fields that mean something to one HTTP/1.1 hop and must not appear (8.2.2). */
const connectionFields: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

const pseudoFields: ReadonlySet<string> = new Set([":method", ":scheme", ":path", ":authority"]);

/** Checks the header list of a request. Throws StreamError: such a request is malformed (8.1.1). */
export function parseRequestHead(streamId: number, fields: readonly string[]): RequestHead {
  const pseudo = new Map<string, string>();
  let at = 0;
  for (; at < fields.length && fields[at]!.charCodeAt(0) === 0x3a; at += 2) {
    const name = fields[at]!;
    if (!pseudoFields.has(name)) throw malformed(streamId, `pseudo-header ${name} in a request`);
    if (pseudo.has(name)) throw malformed(streamId, `${name} more than once`);
    checkValue(streamId, name, fields[at + 1]!);
    pseudo.set(name, fields[at + 1]!);
  }
  const regular = fields.slice(at);
  const { contentLength, contentType } = checkRegularFields(streamId, regular);
  const method = pseudo.get(":method");
  const scheme = pseudo.get(":scheme");
  const path = pseudo.get(":path");
  if (method === undefined || method === "") throw malformed(streamId, "no :method");
  if (method === "CONNECT") throw malformed(streamId, "CONNECT is not offered");
  if (scheme === undefined || scheme === "") throw malformed(streamId, "no :scheme");
  if (path === undefined || path === "") throw malformed(streamId, "no :path");
  const authority = pseudo.get(":authority");
  const parts = { method, path, scheme, authority, contentLength, contentType };
  return new RequestHead({ ...parts, fields: regular, pseudoLength: at });
}

/** Checks the fields after a body (8.1): no pseudo-headers among them. */
export function checkTrailers(streamId: number, fields: readonly string[]): void {
  checkRegularFields(streamId, fields);
}

function checkRegularFields(
  streamId: number,
  fields: readonly string[],
): { contentLength: number; contentType: string | undefined } {
  let contentLength = -1;
  let contentType: string | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!;
    const value = fields[at + 1]!;
    checkName(streamId, name);
    checkValue(streamId, name, value);
    if (name === "content-length") {
      if (!/^\d{1,15}$/.test(value)) throw malformed(streamId, "bad content-length");
      if (contentLength >= 0 && contentLength !== Number(value))
        throw malformed(streamId, "two content-lengths");
      contentLength = Number(value);
    } else if (name === "content-type") {
      contentType = value;
    } else if (name === "te") {
      if (value !== "trailers") throw malformed(streamId, "te other than trailers");
    } else if (connectionFields.has(name)) {
      throw malformed(streamId, `connection-specific field ${name}`);
    }
  }
  return { contentLength, contentType };
}

/** Which octets a field name is made of: RFC 9110's token characters, without upper case (8.2.1). */
const isNameCharacter = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
  isNameCharacter[character.charCodeAt(0)] = 1;
}

function checkName(streamId: number, name: string): void {
  if (name.length === 0) throw malformed(streamId, "empty field name");
  for (let at = 0; at < name.length; at++) {
    if (isNameCharacter[name.charCodeAt(at)] !== 1) {
      throw malformed(streamId, name.startsWith(":") ? "pseudo-header out of place" : "bad field name");
    }
  }
}

/** No NUL, CR or LF anywhere (8.2.1). White space at the ends is let pass, as Go's server does: it does no harm. */
function checkValue(streamId: number, name: string, value: string): void {
  for (let at = 0; at < value.length; at++) {
    const octet = value.charCodeAt(at);
    if (octet === 0 || octet === 10 || octet === 13) throw malformed(streamId, `bad value of ${name}`);
  }
}

function malformed(streamId: number, what: string): StreamError {
  return new StreamError(streamId, ErrorCode.protocolError, `malformed request: ${what}`);
}

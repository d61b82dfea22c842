import type { Metadata } from "../grpc.ts";
import type { RequestHead } from "../http2/request-head.ts";

/** Fields that belong to gRPC itself and are not metadata (as in grpc-go). */
const reserved: ReadonlySet<string> = new Set([
  "content-type",
  "grpc-message-type",
  "grpc-encoding",
  "grpc-message",
  "grpc-status",
  "grpc-timeout",
  "te",
]);

const binarySuffix = "-bin";

/** Where the value of a binary field stops being base64 (padded or not), or -1 if it is all right. */
export function badBase64At(value: string): number {
  const body = value.length % 4 === 0 ? value.replace(/={1,2}$/, "") : value;
  const illegal = body.search(/[^A-Za-z0-9+/]/);
  if (illegal >= 0) return illegal;
  return body.length % 4 === 1 ? body.length - 1 : -1;
}

/** Request metadata, read from the header list it came in. Values of `-bin` names are decoded: one character an
 * octet. */
export class HeaderMetadata implements Metadata {
  private readonly head: RequestHead;

  constructor(head: RequestHead) {
    this.head = head;
  }

  get(name: string): string | undefined {
    if (name === ":authority") return this.head.authority;
    if (reserved.has(name)) return undefined;
    const { fields } = this.head;
    for (let at = 0; at < fields.length; at += 2) {
      if (fields[at] === name) return decode(name, fields[at + 1]!);
    }
    return undefined;
  }

  *entries(): Iterable<readonly [string, string]> {
    const { authority, fields } = this.head;
    if (authority !== undefined) yield [":authority", authority];
    for (let at = 0; at < fields.length; at += 2) {
      const name = fields[at]!;
      if (!reserved.has(name)) yield [name, decode(name, fields[at + 1]!)];
    }
  }
}

function decode(name: string, value: string): string {
  return name.endsWith(binarySuffix) ? Buffer.from(value, "base64").toString("latin1") : value;
}

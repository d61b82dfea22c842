import { encodeFields, type Field } from "../hpack/encoder.ts";
import { staticNameIndex, staticTableLength } from "../hpack/static-table.ts";

const plainContentType = "application/grpc";
const indexed = 0x80;
const literalWithIndexing = 0x40;
const newestIndex = staticTableLength + 1;
/** `:status: 200` of the static table. */
const status200 = 0x88;

function literal(nameIndex: number, name: string, value: string): Uint8Array {
  const nameBytes = nameIndex === 0 ? [name.length, ...Buffer.from(name, "latin1")] : [];
  return Uint8Array.of(
    literalWithIndexing | nameIndex,
    ...nameBytes,
    value.length,
    ...Buffer.from(value, "latin1"),
  );
}

const firstHeaders = Uint8Array.of(
  status200,
  ...literal(staticNameIndex.get("content-type")!, "content-type", plainContentType),
);
const firstTrailers = literal(0, "grpc-status", "0");
const literalHeaders = encodeFields([
  [":status", "200"],
  ["content-type", plainContentType],
]);
const literalTrailers = encodeFields([["grpc-status", "0"]]);

/**
 * The header blocks that nearly all answers on a connection consist of.
 *
 * The first answer puts its content-type and its grpc-status into the client's dynamic table, and nothing else is
 * ever put there: from the second answer on, each block is one or two octets, and the client decodes them by lookup.
 * A client that wants a smaller table than the default gets literals instead.
 *
 * Blocks must be sent in the order in which they are asked for.
 */
export class ResponseBlocks {
  /** Where in the client's table the two fields are; 0 before they are put there. */
  headersIndex = 0;
  trailersIndex = 0;
  /** Both fields are in the table: the blocks are [status200, headersIndex | 0x80] and [trailersIndex | 0x80]. */
  isSteady = false;
  private isLiteral = false;

  /** `:status 200` and the plain content-type. */
  headers(): Uint8Array {
    if (this.isLiteral) return literalHeaders;
    if (this.headersIndex > 0) return Uint8Array.of(status200, indexed | this.headersIndex);
    if (this.trailersIndex > 0) this.trailersIndex++;
    this.headersIndex = newestIndex;
    this.isSteady = this.trailersIndex > 0;
    return firstHeaders;
  }

  /** `grpc-status 0`. */
  trailers(): Uint8Array {
    if (this.isLiteral) return literalTrailers;
    if (this.trailersIndex > 0) return Uint8Array.of(indexed | this.trailersIndex);
    if (this.headersIndex > 0) this.headersIndex++;
    this.trailersIndex = newestIndex;
    this.isSteady = this.headersIndex > 0;
    return firstTrailers;
  }

  /** The client's table is too small to count on. Returns true if that is news. */
  useLiterals(): boolean {
    const isNews = !this.isLiteral;
    this.isLiteral = true;
    this.isSteady = false;
    return isNews;
  }
}

/** Characters of a grpc-message that stand for themselves: printable ASCII but `%`. */
function isPlain(octet: number): boolean {
  return octet >= 0x20 && octet <= 0x7e && octet !== 0x25;
}

/** Percent-encodes a status text (gRPC over HTTP/2, "Status-Message"). */
export function encodeGrpcMessage(message: string): string {
  let encoded = "";
  for (const octet of Buffer.from(message, "utf8")) {
    encoded += isPlain(octet)
      ? String.fromCharCode(octet)
      : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** Headers of an answer with another content-type than the plain one. */
export function headersFor(contentType: string): Uint8Array {
  return encodeFields([
    [":status", "200"],
    ["content-type", contentType],
  ]);
}

/** Trailers with any status. */
export function trailersFor(code: number, message: string): Uint8Array {
  return encodeFields([
    ["grpc-status", String(code)],
    ["grpc-message", encodeGrpcMessage(message)],
  ]);
}

/** An answer that is nothing but a status ("Trailers-Only"). */
export function trailersOnly(
  httpStatus: number,
  contentType: string,
  code: number,
  message: string,
): Uint8Array {
  const fields: Field[] = [
    [":status", String(httpStatus)],
    ["content-type", contentType],
    ["grpc-status", String(code)],
    ["grpc-message", encodeGrpcMessage(message)],
  ];
  return encodeFields(fields);
}

/** Header blocks of calls to one endpoint: what all calls of a method have in common is encoded once. */
import { encodeFields, type Field } from "../../transport/hpack/encoder.ts";

/** Methods that are remembered; a client has no more. */
const methodsMax = 256;

export class HeadBlocks {
  readonly #scheme: string;
  readonly #authority: string;
  readonly #common = new Map<string, Uint8Array>();

  constructor(options: { readonly scheme: string; readonly authority: string }) {
    this.#scheme = options.scheme;
    this.#authority = options.authority;
  }

  /** The block of one call: `fields` are those that are its own. */
  blockOf(path: string, fields: readonly Field[]): Uint8Array {
    const common = this.#common.get(path) ?? this.#encode(path);
    // Fields that enter no table mean the same wherever they stand, so that blocks may be joined.
    return fields.length === 0 ? common : Buffer.concat([common, encodeFields(fields)]);
  }

  #encode(path: string): Uint8Array {
    const block = encodeFields([
      [":method", "POST"],
      [":scheme", this.#scheme],
      [":path", path],
      [":authority", this.#authority],
      ["content-type", "application/grpc"],
      ["user-agent", "etclite"],
      ["te", "trailers"],
    ]);
    if (this.#common.size < methodsMax) this.#common.set(path, block);
    return block;
  }
}

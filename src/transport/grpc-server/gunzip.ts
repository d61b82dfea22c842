import { gunzipSync } from "node:zlib";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";

/**
 * The message behind a prefix whose flag is not 0. etcd has grpc-go's gzip compressor linked in, so a client may use
 * it; the answer stays uncompressed, which every client has to accept. At most `maxBytes` come out, so a message is
 * inflated at once. Throws EtcdError with grpc-go's texts.
 */
export function gunzipMessage(
  flag: number,
  message: Uint8Array,
  isGzip: boolean,
  maxBytes: number,
): Uint8Array {
  if (flag !== 1) throw internal(`grpc: received unexpected payload format ${flag}`);
  if (!isGzip) throw internal("grpc: compressed flag set with identity or empty encoding");
  try {
    const plain = gunzipSync(message, { maxOutputLength: maxBytes });
    return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
  } catch (cause) {
    const code = (cause as { code?: unknown }).code;
    if (code === "ERR_BUFFER_TOO_LARGE") {
      const text = `grpc: received message after decompression larger than max ${maxBytes}`;
      throw new EtcdError(GrpcCode.resourceExhausted, text);
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw internal(`grpc: failed to decompress the message: ${reason}`);
  }
}

function internal(text: string): EtcdError {
  return new EtcdError(GrpcCode.internal, text);
}

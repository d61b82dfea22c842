/** The one place where a thrown thing becomes a gRPC status. */
import { DecodeError } from "../codec/protowire-read.ts";
import { EtcdError } from "../errors/etcd-error.ts";
import { malformedRequest, malformedStreamMessage } from "../errors/table.ts";

/** The status of anything that was thrown. */
export function statusOf(error: unknown): EtcdError {
  return error instanceof DecodeError ? malformedRequest(error.message) : EtcdError.from(error);
}

/** The same for a message on a stream of requests. */
export function statusOfStream(error: unknown): EtcdError {
  return error instanceof DecodeError ? malformedStreamMessage(error.message) : EtcdError.from(error);
}

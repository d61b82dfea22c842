/**
 * The one kind of error that a client is meant to see: a gRPC status code and a text. The table beside this file
 * names every such error that etcd knows, with etcd's exact words; `rpc` turns them into gRPC in one place.
 */

/** gRPC's status codes (grpc/doc/statuscodes.md). */
export const GrpcCode = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;
export type GrpcCode = (typeof GrpcCode)[keyof typeof GrpcCode];

/** An error with a gRPC status. `message` is what the client reads, so it must be etcd's text where etcd has one. */
export class EtcdError extends Error {
  readonly code: GrpcCode;

  constructor(code: GrpcCode, message: string) {
    super(message);
    this.name = "EtcdError";
    this.code = code;
  }

  /** Any thrown thing as an `EtcdError`; what is not one already becomes `Unknown`, as in grpc-go. */
  static from(cause: unknown): EtcdError {
    if (cause instanceof EtcdError) return cause;
    return new EtcdError(GrpcCode.unknown, cause instanceof Error ? cause.message : String(cause));
  }
}

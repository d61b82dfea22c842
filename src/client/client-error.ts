/** What a call of a client fails with. */
import { EtcdError, GrpcCode } from "../errors/etcd-error.ts";
import { errors, goStatusText } from "../errors/table.ts";

/** The message is what Go's client prints: etcd's own words where the error is one of etcd's, or gRPC's form. */
export class ClientError extends Error {
  readonly code: GrpcCode;
  /** What the server said. */
  readonly text: string;
  /** It is one of the errors that etcd names. */
  readonly isKnown: boolean;

  constructor(error: EtcdError, message?: string) {
    const isKnown = knownTexts().has(error.message);
    super(message ?? (isKnown ? error.message : goStatusText(error)));
    this.name = "ClientError";
    this.code = error.code;
    this.text = error.message;
    this.isKnown = isKnown;
  }
}

let known: ReadonlySet<string> | undefined;

function knownTexts(): ReadonlySet<string> {
  known ??= new Set(Object.values(errors).map(({ text }) => text));
  return known;
}

export const deadlineText = "context deadline exceeded";
export const canceledText = "context canceled";

/** `error` as a call's caller gets it; `isOver` says that the caller's own time is up or that it gave up. */
export function clientError(error: unknown, isOver: boolean): Error {
  if (!(error instanceof EtcdError)) return error instanceof Error ? error : new Error(String(error));
  if (isOver && error.code === GrpcCode.deadlineExceeded) return new ClientError(error, deadlineText);
  if (isOver && error.code === GrpcCode.canceled) return new ClientError(error, canceledText);
  return new ClientError(error);
}

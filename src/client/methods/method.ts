/** What a gRPC method takes and gives. */
import type { MessageType } from "../wire/message.ts";

export type MethodKind = "unary" | "serverStream" | "duplex";

export interface Method<Kind extends MethodKind, Request, Response> {
  readonly kind: Kind;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly request: MessageType<Request>;
  readonly response: MessageType<Response>;
  /** Doing it twice does no harm, so a call that got lost is made again (clientv3's "repeatable"). */
  readonly isRepeatable: boolean;
}

function maker<Kind extends MethodKind>(kind: Kind, isRepeatable: boolean, from = "etcdserverpb") {
  return <Request, Response>(
    path: string,
    request: MessageType<Request>,
    response: MessageType<Response>,
  ): Method<Kind, Request, Response> => ({
    kind,
    path: `/${from}.${path}`,
    request,
    response,
    isRepeatable,
  });
}

export const repeatable = maker("unary", true);
/** Of the service that only we have. */
export const ownRepeatable = maker("unary", true, "etclitepb");
export const once = maker("unary", false);
export const serverStream = maker("serverStream", false);
export const duplex = maker("duplex", false);

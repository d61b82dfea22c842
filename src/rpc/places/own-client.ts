/** etcd's own services, as one of our services calls them for its client. */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { MessageTable } from "../../codec/message-table.ts";
import { create, fromBinary, type MessageInit, toBinary } from "../../codec/messages.ts";
import { errors } from "../../errors/table.ts";
import {
  DeleteRangeRequestSchema,
  DeleteRangeResponseSchema,
  KV,
  Lease,
  LeaseGrantRequestSchema,
  LeaseGrantResponseSchema,
  LeaseKeepAliveRequestSchema,
  LeaseKeepAliveResponseSchema,
  LeaseRevokeRequestSchema,
  LeaseRevokeResponseSchema,
  TxnRequestSchema,
  TxnResponseSchema,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import type { GrpcCall, GrpcRoutes } from "../../transport/grpc.ts";
import { OwnCall } from "./own-call.ts";

interface Method<Input extends DescMessage, Output extends DescMessage> {
  readonly path: string;
  readonly input: MessageTable<Input>;
  readonly output: MessageTable<Output>;
}

const txn = { path: `/${KV.typeName}/Txn`, input: TxnRequestSchema, output: TxnResponseSchema };
const deleteRange = {
  path: `/${KV.typeName}/DeleteRange`,
  input: DeleteRangeRequestSchema,
  output: DeleteRangeResponseSchema,
};
const grant = {
  path: `/${Lease.typeName}/LeaseGrant`,
  input: LeaseGrantRequestSchema,
  output: LeaseGrantResponseSchema,
};
const revoke = {
  path: `/${Lease.typeName}/LeaseRevoke`,
  input: LeaseRevokeRequestSchema,
  output: LeaseRevokeResponseSchema,
};
const keepAlive = {
  path: `/${Lease.typeName}/LeaseKeepAlive`,
  input: LeaseKeepAliveRequestSchema,
  output: LeaseKeepAliveResponseSchema,
};

export class OwnClient {
  readonly #routes: GrpcRoutes;
  readonly #caller: Pick<GrpcCall, "metadata" | "peer">;
  readonly #actsFor: string | undefined;

  /** With `actsFor` in the name of that user, whatever the metadata say. */
  constructor(routes: GrpcRoutes, caller: Pick<GrpcCall, "metadata" | "peer">, actsFor?: string) {
    this.#routes = routes;
    this.#caller = caller;
    this.#actsFor = actsFor;
  }

  txn(request: MessageInit<typeof TxnRequestSchema>) {
    return this.#call(txn, request);
  }

  deleteRange(request: MessageInit<typeof DeleteRangeRequestSchema>) {
    return this.#call(deleteRange, request);
  }

  grant(ttlSeconds: number) {
    return this.#call(grant, { TTL: BigInt(ttlSeconds) });
  }

  revoke(lease: bigint) {
    return this.#call(revoke, { ID: lease });
  }

  /** A TTL of 0: there is no such lease any more. */
  keepAlive(lease: bigint) {
    return this.#call(keepAlive, { ID: lease });
  }

  async #call<Input extends DescMessage, Output extends DescMessage>(
    { path, input, output }: Method<Input, Output>,
    request: MessageInitShape<Input>,
  ): Promise<MessageShape<Output>> {
    const handler = this.#routes.get(path);
    if (!handler) throw errors.unknownMethod();
    const call = new OwnCall(path, this.#caller, this.#actsFor);
    const message = toBinary(input, create(input, request));
    if (handler.kind === "single") {
      handler.onRequest(call, message);
    } else {
      const stream = handler.open(call);
      stream.onMessage(message);
      stream.onHalfClose();
    }
    const answer = await call.answer;
    // A stream goes on until its client says that it is over.
    if (handler.kind === "stream") call.cancel();
    return fromBinary(output, answer);
  }
}

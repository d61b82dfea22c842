/** Election.Observe: who leads, and each change of it, until the client has seen enough. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { KeyValue } from "../../codec/kv.ts";
import { create, toBinary } from "../../codec/messages.ts";
import type { ResponseHeaderSchema } from "../../gen/etcdserverpb/rpc_pb.ts";
import type { KeyValueSchema } from "../../gen/mvccpb/kv_pb.ts";
import { LeaderRequestSchema, LeaderResponseSchema } from "../../gen/tables/v3electionpb/v3election.ts";
import type { StoreEvent } from "../../mvcc/types.ts";
import type { GrpcCall, SingleRequestHandler } from "../../transport/grpc.ts";
import { answeringStream, parse } from "../handler.ts";
import type { KeyWatch } from "../places/key-watch.ts";
import type { OwnClient } from "../places/own-client.ts";
import { endOf, firstOf, oldest, prefixOf } from "../places/place.ts";
import { asUnknown, type Places } from "../places/places.ts";
import { responseHeader } from "../response-header.ts";
import type { ClusterSource } from "../rpc-server.ts";

export function observeHandler(server: ClusterSource, places: Places): SingleRequestHandler {
  return answeringStream((call, message) => {
    const { name } = parse(LeaderRequestSchema, message);
    new Observer(server, places, call, prefixOf(name)).run().catch((error: unknown) => {
      call.fail(asUnknown(error));
    });
  });
}

interface Leading {
  readonly header: MessageInitShape<typeof ResponseHeaderSchema>;
  readonly kv: MessageInitShape<typeof KeyValueSchema> & { readonly key: Uint8Array };
  /** What has been seen of the key. */
  readonly revision: number;
}

class Observer {
  readonly #server: ClusterSource;
  readonly #places: Places;
  readonly #call: GrpcCall;
  readonly #prefix: Uint8Array;
  readonly #watch: KeyWatch;
  #client: OwnClient | undefined;
  #drained = () => {};

  constructor(server: ClusterSource, places: Places, call: GrpcCall, prefix: Uint8Array) {
    this.#server = server;
    this.#places = places;
    this.#call = call;
    this.#prefix = prefix;
    this.#watch = places.watchFor(call);
    call.onDrain(() => this.#drained());
    call.onCancel(() => this.#drained());
  }

  async run(): Promise<void> {
    try {
      while (!this.#call.cancelled) {
        const leading = await this.#nextLeader();
        if (leading) await this.#follow(leading);
      }
    } finally {
      this.#watch.close();
    }
  }

  /** Who leads, or else who will be first to campaign; undefined if one has to ask again. */
  async #nextLeader(): Promise<Leading | undefined> {
    const prefix = this.#prefix;
    const client = this.#client ?? this.#places.clientFor(this.#call);
    const { responses, header } = await client.txn({ success: [oldest(prefix)] });
    this.#client ??= await this.#places.lastingClientFor(this.#call);
    const revision = Number(header!.revision);
    const kv = firstOf(responses[0]);
    if (kv) return { header: header!, kv, revision };
    if (this.#call.cancelled) return undefined;
    this.#watch.watch([
      { key: prefix, rangeEnd: endOf(prefix), startRevision: revision + 1, noDelete: true },
    ]);
    const first = (await this.#watch.next())?.events[0];
    return first && this.#leadingBy(first, first.modRevision);
  }

  /** Tells of this leader until its key is gone, or cannot be watched. */
  async #follow(leading: Leading): Promise<void> {
    await this.#tell(leading);
    if (this.#call.cancelled) return;
    this.#watch.watch([{ key: leading.kv.key, startRevision: leading.revision + 1 }]);
    for (;;) {
      const happened = await this.#watch.next();
      if (!happened) return;
      for (const event of happened.events) {
        if (event.kind === "delete") return;
        await this.#tell(this.#leadingBy(event, happened.revision));
      }
    }
  }

  #leadingBy({ kv, modRevision }: StoreEvent, revision: number): Leading {
    return { header: responseHeader(this.#server, revision), kv: asMessage(kv), revision: modRevision };
  }

  /** Resolves when the client takes more. */
  async #tell({ header, kv }: Leading): Promise<void> {
    const message = toBinary(LeaderResponseSchema, create(LeaderResponseSchema, { header, kv }));
    if (this.#call.cancelled || this.#call.write(message)) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      if (this.#call.cancelled) resolve();
    });
  }
}

function asMessage({ key, createRevision, modRevision, version, value, lease }: KeyValue) {
  return {
    key,
    createRevision: BigInt(createRevision),
    modRevision: BigInt(modRevision),
    version: BigInt(version),
    value,
    lease,
  };
}

/** The calls that the crash suite makes, as plain functions over one connection. */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import * as rpc from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { Event_EventType } from "../../src/gen/mvccpb/kv_pb.ts";
import { type GrpcCall, GrpcClient } from "../support/grpc-client.ts";

/** A change of a key: `value` undefined is a delete. */
export interface Change {
  readonly key: string;
  readonly value: string | undefined;
  /** 0n for none. */
  readonly lease: bigint;
}

/** A change as a watch shows it. */
export interface Event extends Change {
  readonly revision: number;
}

export interface Row {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: bigint;
}

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();
export const bytes = (text: string): Uint8Array => utf8.encode(text);
export const text = (data: Uint8Array): string => fromUtf8.decode(data);

/** The range of all keys. */
const everything = { key: bytes("\0"), rangeEnd: bytes("\0") };

export class Api {
  readonly #client: GrpcClient;

  constructor(url: string) {
    this.#client = new GrpcClient(url);
  }

  close(): void {
    this.#client.close();
  }

  async #call<In extends DescMessage, Out extends DescMessage>(
    path: string,
    input: In,
    output: Out,
    message: MessageInitShape<In>,
  ): Promise<MessageShape<Out>> {
    const request = toBinary(input, create(input, message));
    return fromBinary(output, await this.#client.unary(`/etcdserverpb.${path}`, request));
  }

  /** One revision with these changes in this order. Gives the revision. */
  async change(changes: readonly Change[]): Promise<number> {
    const [only] = changes;
    if (changes.length === 1 && only?.value !== undefined) {
      const put = { key: bytes(only.key), value: bytes(only.value), lease: only.lease };
      const answer = await this.#call("KV/Put", rpc.PutRequestSchema, rpc.PutResponseSchema, put);
      return Number(answer.header?.revision);
    }
    const success = changes.map((c) => ({
      request:
        c.value === undefined
          ? { case: "requestDeleteRange" as const, value: { key: bytes(c.key) } }
          : {
              case: "requestPut" as const,
              value: { key: bytes(c.key), value: bytes(c.value), lease: c.lease },
            },
    }));
    const answer = await this.#call("KV/Txn", rpc.TxnRequestSchema, rpc.TxnResponseSchema, { success });
    return Number(answer.header?.revision);
  }

  /** Deletes all keys with the prefix. Gives the revision and how many there were. */
  async deletePrefix(prefix: string): Promise<{ revision: number; deleted: number }> {
    const range = { key: bytes(prefix), rangeEnd: bytes(`${prefix.slice(0, -1)}${next(prefix.slice(-1))}`) };
    const schema = rpc.DeleteRangeRequestSchema;
    const answer = await this.#call("KV/DeleteRange", schema, rpc.DeleteRangeResponseSchema, range);
    return { revision: Number(answer.header?.revision), deleted: Number(answer.deleted) };
  }

  async get(key: string): Promise<Row | undefined> {
    const answer = await this.#call("KV/Range", rpc.RangeRequestSchema, rpc.RangeResponseSchema, {
      key: bytes(key),
    });
    const [kv] = answer.kvs;
    return kv && rowOf(kv);
  }

  /** The current revision, asked for linearizably. */
  async revision(): Promise<number> {
    const request = { key: bytes("none"), countOnly: true };
    const answer = await this.#call("KV/Range", rpc.RangeRequestSchema, rpc.RangeResponseSchema, request);
    return Number(answer.header?.revision);
  }

  /** All keys at a revision, page by page. */
  async all(revision: number): Promise<Row[]> {
    const rows: Row[] = [];
    let from = everything.key;
    for (;;) {
      const request = { key: from, rangeEnd: everything.rangeEnd, revision: BigInt(revision), limit: 1000n };
      const answer = await this.#call("KV/Range", rpc.RangeRequestSchema, rpc.RangeResponseSchema, request);
      rows.push(...answer.kvs.map(rowOf));
      const last = answer.kvs.at(-1);
      if (!answer.more || !last) return rows;
      from = Uint8Array.of(...last.key, 0);
    }
  }

  async compact(revision: number): Promise<void> {
    const request = { revision: BigInt(revision) };
    await this.#call("KV/Compact", rpc.CompactionRequestSchema, rpc.CompactionResponseSchema, request);
  }

  async defragment(): Promise<void> {
    await this.#call("Maintenance/Defragment", rpc.DefragmentRequestSchema, rpc.DefragmentResponseSchema, {});
  }

  async hash(revision: number): Promise<{ hash: number; compactRevision: number }> {
    const request = { revision: BigInt(revision) };
    const answer = await this.#call(
      "Maintenance/HashKV",
      rpc.HashKVRequestSchema,
      rpc.HashKVResponseSchema,
      request,
    );
    return { hash: answer.hash, compactRevision: Number(answer.compactRevision) };
  }

  async grant(id: bigint, ttl: number): Promise<number> {
    const request = { ID: id, TTL: BigInt(ttl) };
    const answer = await this.#call(
      "Lease/LeaseGrant",
      rpc.LeaseGrantRequestSchema,
      rpc.LeaseGrantResponseSchema,
      request,
    );
    return Number(answer.TTL);
  }

  async revoke(id: bigint): Promise<void> {
    const schema = rpc.LeaseRevokeRequestSchema;
    await this.#call("Lease/LeaseRevoke", schema, rpc.LeaseRevokeResponseSchema, { ID: id });
  }

  /** The new time to live in seconds; 0 if the lease is not there. */
  async keepAlive(id: bigint): Promise<number> {
    // A stream for one message: the server answers it, and ends when this side has ended.
    const path = "Lease/LeaseKeepAlive";
    const schema = rpc.LeaseKeepAliveRequestSchema;
    const answer = await this.#call(path, schema, rpc.LeaseKeepAliveResponseSchema, { ID: id });
    return Number(answer.TTL);
  }

  /** Seconds left (-1: not there) and the attached keys. */
  async timeToLive(id: bigint): Promise<{ ttl: number; grantedTtl: number; keys: string[] }> {
    const schema = rpc.LeaseTimeToLiveRequestSchema;
    const request = { ID: id, keys: true };
    const answer = await this.#call(
      "Lease/LeaseTimeToLive",
      schema,
      rpc.LeaseTimeToLiveResponseSchema,
      request,
    );
    return {
      ttl: Number(answer.TTL),
      grantedTtl: Number(answer.grantedTTL),
      keys: answer.keys.map(text).sort(),
    };
  }

  async leases(): Promise<bigint[]> {
    const schema = rpc.LeaseLeasesRequestSchema;
    const answer = await this.#call("Lease/LeaseLeases", schema, rpc.LeaseLeasesResponseSchema, {});
    return answer.leases.map((lease) => lease.ID);
  }

  /** Watches all keys from a revision on. `onCompacted` gets the compacted revision if that is too far back. */
  watch(
    from: number,
    onEvents: (events: Event[]) => void,
    onCompacted: (revision: number) => void = () => undefined,
    onCreated: () => void = () => undefined,
  ): GrpcCall {
    const call = this.#client.call("/etcdserverpb.Watch/Watch", (message) => {
      const answer = fromBinary(rpc.WatchResponseSchema, message);
      if (answer.canceled) onCompacted(Number(answer.compactRevision));
      else if (answer.created) onCreated();
      if (answer.events.length > 0) onEvents(answer.events.map(eventOf));
    });
    const value = { ...everything, startRevision: BigInt(from) };
    const request = { requestUnion: { case: "createRequest" as const, value } };
    call.send(toBinary(rpc.WatchRequestSchema, create(rpc.WatchRequestSchema, request)));
    return call;
  }
}

type Kv = MessageShape<typeof rpc.RangeResponseSchema>["kvs"][number];
type WatchEvent = MessageShape<typeof rpc.WatchResponseSchema>["events"][number];

function rowOf(kv: Kv): Row {
  return {
    key: text(kv.key),
    value: text(kv.value),
    createRevision: Number(kv.createRevision),
    modRevision: Number(kv.modRevision),
    version: Number(kv.version),
    lease: kv.lease,
  };
}

function eventOf(event: WatchEvent): Event {
  const kv = event.kv;
  if (!kv) throw new Error("an event without a key");
  const isDelete = event.type === Event_EventType.DELETE;
  return {
    key: text(kv.key),
    value: isDelete ? undefined : text(kv.value),
    lease: kv.lease,
    revision: Number(kv.modRevision),
  };
}

const next = (character: string): string => String.fromCharCode(character.charCodeAt(0) + 1);

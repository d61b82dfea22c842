/**
 * Places in a queue: keys under a name, each as long alive as a lease. Whoever has the oldest has the turn: the lock, or the
 * leadership. The keys are those of etcd's client library, so that its users and ours queue together.
 */
import type { MessageInit } from "../../codec/messages.ts";
import type { KeyValue } from "../../gen/mvccpb/kv_pb.ts";
import {
  Compare_CompareResult,
  Compare_CompareTarget,
  type CompareSchema,
  RangeRequest_SortOrder,
  RangeRequest_SortTarget,
  type RequestOpSchema,
  type ResponseHeader,
  type ResponseOp,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import type { OwnClient } from "./own-client.ts";

export interface Place {
  readonly prefix: Uint8Array;
  readonly key: Uint8Array;
  readonly lease: bigint;
  /** What says how old it is, and that it still is the same one. */
  readonly createRevision: bigint;
  /** Written anew by each call that takes the place, so that none gives up the place of a later one. */
  readonly modRevision: bigint;
  /** It was not there before. */
  readonly isNew: boolean;
  /** Nobody was there before. */
  readonly isFirst: boolean;
  /** Of the transaction that took it. */
  readonly header: ResponseHeader;
}

type Op = MessageInit<typeof RequestOpSchema>;

const encoder = new TextEncoder();
const slash = encoder.encode("/");
/** The byte after a slash: where the keys below it end. */
const afterSlash = encoder.encode("0");
const oneKey = new Uint8Array(0);

const joined = (a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> => {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
};

export const prefixOf = (name: Uint8Array): Uint8Array => joined(name, slash);
export const endOf = (prefix: Uint8Array): Uint8Array => joined(prefix.subarray(0, -1), afterSlash);
export const keyOf = (prefix: Uint8Array, lease: bigint): Uint8Array =>
  joined(prefix, encoder.encode(lease.toString(16)));

/** The oldest place. */
export const oldest = (prefix: Uint8Array): Op => inOrder(prefix, RangeRequest_SortOrder.ASCEND, 0n);
/** The youngest place of those that are older than `createRevision`. */
export const before = (prefix: Uint8Array, createRevision: bigint): Op =>
  inOrder(prefix, RangeRequest_SortOrder.DESCEND, createRevision - 1n);

function inOrder(prefix: Uint8Array, sortOrder: RangeRequest_SortOrder, maxCreateRevision: bigint): Op {
  const value = {
    key: prefix,
    rangeEnd: endOf(prefix),
    limit: 1n,
    sortOrder,
    sortTarget: RangeRequest_SortTarget.CREATE,
    maxCreateRevision,
  };
  return { request: { case: "requestRange", value } };
}

export const read = (key: Uint8Array): Op => ({
  request: { case: "requestRange", value: { key, rangeEnd: oneKey } },
});

export const createdAt = (key: Uint8Array, revision: bigint): MessageInit<typeof CompareSchema> => ({
  key,
  result: Compare_CompareResult.EQUAL,
  target: Compare_CompareTarget.CREATE,
  targetUnion: { case: "createRevision", value: revision },
});

const writtenAt = (key: Uint8Array, revision: bigint): MessageInit<typeof CompareSchema> => ({
  key,
  result: Compare_CompareResult.EQUAL,
  target: Compare_CompareTarget.MOD,
  targetUnion: { case: "modRevision", value: revision },
});

/** The first key of the answer to a range; undefined if there is none. */
export function firstOf(response: ResponseOp | undefined): KeyValue | undefined {
  return response?.response.case === "responseRange" ? response.response.value.kvs[0] : undefined;
}

/** Without `value` the place keeps the one that it has. */
export async function takePlace(
  client: OwnClient,
  asked: { readonly name: Uint8Array; readonly lease: bigint; readonly value: Uint8Array | undefined },
): Promise<Place> {
  const { name, lease, value } = asked;
  const prefix = prefixOf(name);
  const key = keyOf(prefix, lease);
  const write: Op = { request: { case: "requestPut", value: { key, lease, value: value ?? oneKey } } };
  const rewrite: Op =
    value === undefined
      ? { request: { case: "requestPut", value: { key, lease, ignoreValue: true } } }
      : write;
  const { succeeded, responses, header } = await client.txn({
    compare: [createdAt(key, 0n)],
    success: [write, read(key), oldest(prefix)],
    failure: [rewrite, read(key), oldest(prefix)],
  });
  const { createRevision, modRevision } = firstOf(responses[1])!;
  const isFirst = firstOf(responses[2])?.createRevision === createRevision;
  return { prefix, key, lease, createRevision, modRevision, isNew: succeeded, isFirst, header: header! };
}

/** Does nothing if the place is gone, or a later call has it. */
export async function leavePlace(client: OwnClient, { key, modRevision }: Place): Promise<void> {
  await client.txn({
    compare: [writtenAt(key, modRevision)],
    success: [{ request: { case: "requestDeleteRange", value: { key } } }],
  });
}

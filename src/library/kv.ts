/** Keys and values, for programs: texts or bytes go in, plain objects come out. */
import type { Client, RequestOptions } from "../client/client.ts";
import type * as wire from "../client/messages/kv.ts";
import * as methods from "../client/methods/kv.ts";
import { prefixEnd } from "../client/prefix-end.ts";
import type { Init } from "../client/wire/message.ts";
import { type Bytes, toBytes, toText } from "./text.ts";

/** A key with its value, at a revision. */
export class KeyValue {
  readonly keyBytes: Uint8Array;
  readonly valueBytes: Uint8Array;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
  /** 1 when the key was made, and 1 more with each change. */
  readonly version: bigint;
  /** 0n: none. */
  readonly lease: bigint;

  constructor({ key, value, create_revision, mod_revision, version, lease }: wire.KeyValue) {
    this.keyBytes = key;
    this.valueBytes = value;
    this.createRevision = create_revision;
    this.modRevision = mod_revision;
    this.version = version;
    this.lease = lease;
  }

  get key(): string {
    return toText(this.keyBytes);
  }

  get value(): string {
    return toText(this.valueBytes);
  }
}

export interface PutOptions extends RequestOptions {
  readonly lease?: bigint;
}

/** Which keys: the one, those that begin with it (`prefix`), or those up to another (`end`, exclusive). */
export interface KeyRange {
  readonly prefix?: boolean;
  readonly end?: Bytes;
}

export interface GetOptions extends RequestOptions {
  /** An older state. */
  readonly revision?: bigint;
  /** This member's own state, without asking the others whether it is the newest. */
  readonly serializable?: boolean;
}

export interface ListOptions extends GetOptions, KeyRange {
  /** 0n: all. */
  readonly limit?: bigint;
  readonly keysOnly?: boolean;
}

export interface DeleteOptions extends RequestOptions, KeyRange {}

/** All of these reject with a ClientError, whose message is etcd's. */
export class KeyValues {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Gives the revision at which the key has the value. */
  async put(key: Bytes, value: Bytes, { lease = 0n, ...options }: PutOptions = {}): Promise<bigint> {
    const request = { key: toBytes(key), value: toBytes(value), lease };
    const { header } = await this.#client.unary(methods.put, request, options);
    return header!.revision;
  }

  /** Undefined if there is no such key. */
  async get(key: Bytes, options: GetOptions = {}): Promise<KeyValue | undefined> {
    return (await this.list(key, options))[0];
  }

  /** Sorted by key. */
  async list(key: Bytes, options: ListOptions = {}): Promise<KeyValue[]> {
    const { kvs } = await this.#client.unary(methods.range, rangeRequest(key, options), options);
    return kvs.map((kv) => new KeyValue(kv));
  }

  async count(key: Bytes, options: ListOptions = {}): Promise<bigint> {
    const request = { ...rangeRequest(key, options), count_only: true };
    return (await this.#client.unary(methods.range, request, options)).count;
  }

  /** Gives how many keys there were. */
  async delete(key: Bytes, options: DeleteOptions = {}): Promise<bigint> {
    const first = toBytes(key);
    const request = { key: first, range_end: rangeEnd(first, options) };
    return (await this.#client.unary(methods.deleteRange, request, options)).deleted;
  }

  /** A transaction in etcd's own form: `compare`, `success` and `failure` as in the .proto files. */
  txn(request: Init<wire.TxnRequest>, options: RequestOptions = {}): Promise<wire.TxnResponse> {
    return this.#client.unary(methods.txn, request, options);
  }

  /** Lets go of what is older than `revision`. */
  async compact(revision: bigint, options: RequestOptions = {}): Promise<void> {
    await this.#client.unary(methods.compact, { revision }, options);
  }
}

function rangeRequest(key: Bytes, options: ListOptions) {
  const { revision = 0n, serializable = false, limit = 0n, keysOnly = false } = options;
  const first = toBytes(key);
  const isAll = first.length === 0 && options.prefix === true;
  return {
    key: isAll ? new Uint8Array(1) : first,
    range_end: rangeEnd(first, options),
    revision,
    serializable,
    limit,
    keys_only: keysOnly,
  };
}

export function rangeEnd(key: Uint8Array, { prefix, end }: KeyRange): Uint8Array {
  if (end !== undefined) return toBytes(end);
  return prefix ? prefixEnd(key) : new Uint8Array(0);
}

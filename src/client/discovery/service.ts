/** A discovery service, which is another etcd cluster: the few calls that a new member makes there. */
import type { Client } from "../client.ts";
import { put, range } from "../methods/kv.ts";
import { watch } from "../methods/watch.ts";
import type { RegisteredMember } from "./registry.ts";

export interface DiscoveryService {
  get(key: string): Promise<string | undefined>;
  list(prefix: string): Promise<{ readonly members: RegisteredMember[]; readonly revision: bigint }>;
  put(key: string, value: string): Promise<void>;
  /** What is put below `prefix` from `revision` on, until the loop is left. Ends or throws when the connection is lost. */
  changes(prefix: string, revision: bigint): AsyncIterable<RegisteredMember>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The key after all that begin with `prefix`, whose last byte is none of 255. */
function endOf(prefix: string): Uint8Array {
  const end = encoder.encode(prefix);
  end[end.length - 1]!++;
  return end;
}

interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly create_revision: bigint;
}

const memberOf = ({ key, value, create_revision }: KeyValue): RegisteredMember => ({
  key: decoder.decode(key).trim(),
  urls: decoder.decode(value).trim(),
  createRevision: create_revision,
});

export function discoveryService(client: Client, timeoutMs: number): DiscoveryService {
  return {
    get: async (key) => {
      const { kvs } = await client.unary(range, { key: encoder.encode(key) }, { timeoutMs });
      return kvs[0] && decoder.decode(kvs[0].value);
    },
    list: async (prefix) => {
      const request = { key: encoder.encode(prefix), range_end: endOf(prefix) };
      const { kvs, header } = await client.unary(range, request, { timeoutMs });
      return { members: kvs.map(memberOf), revision: header?.revision ?? 0n };
    },
    put: async (key, value) => {
      await client.unary(put, { key: encoder.encode(key), value: encoder.encode(value) }, { timeoutMs });
    },
    changes: (prefix, revision) => changes(client, prefix, revision),
  };
}

async function* changes(client: Client, prefix: string, revision: bigint): AsyncGenerator<RegisteredMember> {
  const stream = await client.duplex(watch);
  const key = encoder.encode(prefix);
  stream.send({ create_request: { key, range_end: endOf(prefix), start_revision: revision } });
  for await (const answer of stream) {
    if (answer.canceled) throw new Error(answer.cancel_reason || "the watch was canceled");
    // A deletion has no value, and is refused as a member.
    for (const { kv } of answer.events) if (kv) yield memberOf(kv);
  }
}

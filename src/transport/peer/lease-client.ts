/** Passes on to the leader what only it knows about leases. */
import { create, fromBinary, toBinary } from "../../codec/messages.ts";
import {
  LeaseKeepAliveRequestSchema,
  LeaseKeepAliveResponseSchema,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import { LeaseInternalRequestSchema, LeaseInternalResponseSchema } from "../../gen/tables/leasepb/lease.ts";
import type { EtcdUrl } from "../../lib/etcd-url.ts";
import type { LeaseId } from "../../lib/ids.ts";
import type { LeaseTimeToLive } from "./contracts.ts";
import { leasesInternalPath, leasesPath } from "./handlers/leases.ts";
import type { HttpClient } from "./http1/client.ts";

/** "behind": the other member has not caught up yet. Both are worth another try with whoever leads then. */
export type ForwardedRefusal = "not found" | "behind";

export interface ForwardOptions {
  readonly client: HttpClient;
  /** One of the leader's peer URLs. */
  readonly url: EtcdUrl;
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** The seconds that the lease has again. Rejects with anything that is no answer about the lease. */
export async function renewAtLeader(
  id: LeaseId,
  options: ForwardOptions,
): Promise<number | ForwardedRefusal> {
  const body = toBinary(LeaseKeepAliveRequestSchema, create(LeaseKeepAliveRequestSchema, { ID: id }));
  const answer = await post(leasesPath, body, options);
  if (typeof answer === "string") return answer;
  const response = fromBinary(LeaseKeepAliveResponseSchema, answer);
  if (response.ID !== id) throw new Error("lease: renew id mismatch");
  return Number(response.TTL);
}

/** What is left of a lease. Rejects with anything that is no answer about the lease. */
export async function timeToLiveAtLeader(
  id: LeaseId,
  withKeys: boolean,
  options: ForwardOptions,
): Promise<LeaseTimeToLive | ForwardedRefusal> {
  const request = create(LeaseInternalRequestSchema, { LeaseTimeToLiveRequest: { ID: id, keys: withKeys } });
  const answer = await post(leasesInternalPath, toBinary(LeaseInternalRequestSchema, request), options);
  if (typeof answer === "string") return answer;
  const found = fromBinary(LeaseInternalResponseSchema, answer).LeaseTimeToLiveResponse;
  if (found?.ID !== id) throw new Error("lease: TTL id mismatch");
  return {
    ttlSeconds: Number(found.TTL),
    grantedTtlSeconds: Number(found.grantedTTL),
    keys: found.keys,
  };
}

async function post(
  path: string,
  body: Uint8Array,
  options: ForwardOptions,
): Promise<Uint8Array | ForwardedRefusal> {
  const { client, url, timeoutMs, maxBodyBytes, signal } = options;
  const headers = { "Content-Type": "application/protobuf" };
  const response = await client.request(
    url,
    { method: "POST", path, headers, body },
    { timeoutMs, maxBodyBytes, signal },
  );
  if (response.status === 200) return response.body;
  if (response.status === 404) return "not found";
  if (response.status === 408) return "behind";
  const text = new TextDecoder().decode(response.body.subarray(0, 200)).trim();
  throw new Error(`lease: unknown error(${text})`);
}

/** Asks another member for the hash of its data. */
import { errors } from "../../errors/table.ts";
import { parseEtcdUrl } from "../../lib/etcd-url.ts";
import type { ClusterId } from "../../lib/ids.ts";
import { formatId } from "../../membership/member.ts";
import { clusterIdMismatch } from "./cluster-headers.ts";
import type { HashAnswer } from "./contracts.ts";
import { hashKvPath, hashRefusals } from "./handlers/hash-kv.ts";
import type { HttpClient } from "./http1/client.ts";

export interface AskHashOptions {
  readonly client: HttpClient;
  readonly clusterId: ClusterId;
  readonly timeoutMs: number;
}

const answerBytesMax = 64 * 1024;

/**
 * `url` is one of the member's peer URLs; `revision` 0 is its newest. Rejects with ErrCompacted, ErrFutureRev or
 * ErrClusterIDMismatch when the member says so, with anything else when it cannot be asked.
 */
export async function fetchHash(url: string, revision: number, options: AskHashOptions): Promise<HashAnswer> {
  const { client, clusterId, timeoutMs } = options;
  const response = await client.request(
    parseEtcdUrl(url),
    {
      method: "GET",
      path: hashKvPath,
      headers: { "Content-Type": "application/json", "X-Etcd-Cluster-ID": formatId(clusterId) },
      body: new TextEncoder().encode(JSON.stringify(revision === 0 ? {} : { revision })),
    },
    { timeoutMs, maxBodyBytes: answerBytesMax },
  );
  const text = new TextDecoder().decode(response.body);
  if (response.status === 400 && text.includes(hashRefusals.compacted)) throw errors.compacted();
  if (response.status === 400 && text.includes(hashRefusals.futureRev)) throw errors.futureRev();
  if (response.status === 412 && text.includes(clusterIdMismatch)) throw errors.clusterIdMismatch();
  if (response.status !== 200) throw new Error(`unknown error: ${text.slice(0, 200).trim()}`);
  return parseAnswer(text);
}

/** Go leaves zeros out. */
function parseAnswer(text: string): HashAnswer {
  const parsed = JSON.parse(text) as Record<string, unknown>;
  const header = (parsed["header"] ?? {}) as Record<string, unknown>;
  return {
    hash: integer(parsed["hash"]),
    compactRevision: integer(parsed["compact_revision"]),
    hashRevision: integer(parsed["hash_revision"]),
    revision: integer(header["revision"]),
  };
}

function integer(value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new Error("malformed hash");
  return value;
}

/** GET /members/hashkv: the hash of this member's data at a revision, which the body names. */
import { errors } from "../../../errors/table.ts";
import type { Logger } from "../../../lib/logger.ts";
import { formatId } from "../../../membership/member.ts";
import { clusterIdMismatch, type LocalIdentity } from "../cluster-headers.ts";
import type { HashSource } from "../contracts.ts";
import type { Exchange } from "../http1/exchange.ts";
import type { PeerLimits } from "../limits.ts";

export const hashKvPath = "/members/hashkv";

/** Without the prefix that only clients see. */
export const hashRefusals = {
  compacted: errors.compacted.text.replace("etcdserver: ", ""),
  futureRev: errors.futureRev.text.replace("etcdserver: ", ""),
} as const;

export interface HashKvContext {
  readonly source: HashSource;
  readonly local: LocalIdentity;
  readonly limits: PeerLimits;
  readonly logger: Logger;
}

export async function handleHashKv(exchange: Exchange, context: HashKvContext): Promise<void> {
  if (!exchange.allows("GET")) return;
  const { source, local, limits, logger } = context;
  const clusterId = exchange.header("x-etcd-cluster-id");
  if (clusterId !== "" && clusterId !== formatId(local.clusterId)) {
    exchange.refuse(412, clusterIdMismatch);
    return;
  }
  let body: Uint8Array;
  try {
    body = await exchange.readBody(limits.smallBodyBytes);
  } catch {
    exchange.refuse(400, "error reading body");
    return;
  }
  const revision = revisionIn(body);
  if (revision === undefined) {
    logger.warn("failed to unmarshal request");
    exchange.refuse(400, "error unmarshalling request");
    return;
  }
  try {
    const found = await source.hashByRevision(revision);
    const answer = {
      header: { revision: found.revision },
      hash: found.hash,
      compact_revision: found.compactRevision,
      hash_revision: found.hashRevision,
    };
    const headers = { "X-Etcd-Cluster-ID": formatId(local.clusterId), "Content-Type": "application/json" };
    exchange.respond(200, headers, JSON.stringify(answer));
  } catch (error) {
    const message = (error as Error).message.replace("etcdserver: ", "");
    logger.warn("failed to get hashKV", { "requested-revision": revision, error: message });
    exchange.refuse(400, message);
  }
}

/** Undefined if the body is no such request. Go leaves a zero out. */
function revisionIn(body: Uint8Array): number | undefined {
  try {
    const { revision = 0 } = JSON.parse(new TextDecoder().decode(body)) as { revision?: unknown };
    return typeof revision === "number" && Number.isSafeInteger(revision) ? revision : undefined;
  } catch {
    return undefined;
  }
}

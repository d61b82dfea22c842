/** The headers by which members recognize each other, and their check. */
import type { ClusterId, MemberId } from "../../lib/ids.ts";
import type { Logger } from "../../lib/logger.ts";
import { formatId } from "../../membership/member.ts";
import type { Exchange } from "./http1/exchange.ts";
import { compareMinor, headerVersion } from "./version.ts";

export const incompatibleVersion = "incompatible version";
export const clusterIdMismatch = "cluster ID mismatch";
/** What a member reports that found out it is no longer one. */
export const memberRemoved = "the member has been permanently removed from the cluster";

/** Who this member is, to others. */
export interface LocalIdentity {
  readonly id: MemberId;
  readonly clusterId: ClusterId;
  readonly urls: readonly string[];
  readonly serverVersion: string;
  readonly minClusterVersion: string;
}

/** What goes with every request to another member. */
export function identityHeaders(local: LocalIdentity): Record<string, string> {
  const headers: Record<string, string> = {
    "X-Server-From": formatId(local.id),
    "X-Server-Version": local.serverVersion,
    "X-Min-Cluster-Version": local.minClusterVersion,
    "X-Etcd-Cluster-ID": formatId(local.clusterId),
  };
  if (local.urls.length > 0) headers["X-PeerURLs"] = local.urls.join(",");
  return headers;
}

/** An id as members write it; undefined if it is none. */
export function parseId(text: string): bigint | undefined {
  return /^[0-9a-fA-F]{1,16}$/.test(text) ? BigInt(`0x${text}`) : undefined;
}

/** False, and answered with 412, if whoever asks cannot be of this cluster. */
export function checkCompatible(exchange: Exchange, local: LocalIdentity, logger: Logger): boolean {
  const serverText = exchange.header("x-server-version");
  const minText = exchange.header("x-min-cluster-version");
  const remote = headerVersion(serverText);
  const remoteMin = headerVersion(minText);
  const headers = { "X-Server-Version": local.serverVersion, "X-Etcd-Cluster-ID": formatId(local.clusterId) };
  const fields = {
    "local-member-id": formatId(local.id),
    "local-member-cluster-id": formatId(local.clusterId),
    "local-member-server-version": local.serverVersion,
    "local-member-server-minimum-cluster-version": local.minClusterVersion,
    "remote-peer-server-name": exchange.header("x-server-from"),
    "remote-peer-server-version": serverText,
    "remote-peer-server-minimum-cluster-version": minText,
  };
  const why =
    remote === undefined || remoteMin === undefined
      ? "malformed version"
      : compareMinor(remote, headerVersion(local.minClusterVersion)!) < 0
        ? `remote version is too low: remote[${fields["remote-peer-server-name"]}]=${serverText}, local=${local.serverVersion}`
        : compareMinor(remoteMin, headerVersion(local.serverVersion)!) > 0
          ? `local version is too low: remote[${fields["remote-peer-server-name"]}]=${serverText}, local=${local.serverVersion}`
          : undefined;
  if (why !== undefined) {
    logger.warn("failed version compatibility check", { ...fields, error: why });
    exchange.refuse(412, incompatibleVersion, headers);
    return false;
  }
  const clusterId = exchange.header("x-etcd-cluster-id");
  if (clusterId !== formatId(local.clusterId)) {
    logger.warn("request cluster ID mismatch", { ...fields, "remote-peer-cluster-id": clusterId });
    exchange.refuse(412, clusterIdMismatch, headers);
    return false;
  }
  return true;
}

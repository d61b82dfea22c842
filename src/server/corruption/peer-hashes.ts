/** Asks all other members for the hash of their data at a revision. */
import type { Logger } from "../../lib/logger.ts";
import type { Cluster } from "../../membership/cluster.ts";
import { formatId, type Member } from "../../membership/member.ts";
import type { PeerHash, Peers } from "../peers.ts";

export interface PeerAnswer {
  readonly member: Member;
  /** Undefined if the member could not be asked, or refused; `error` then says why. */
  readonly hash: PeerHash | undefined;
  readonly error: Error | undefined;
}

export interface PeerHashesOptions {
  readonly cluster: Cluster;
  readonly peers: Pick<Peers, "hashKv">;
  readonly logger: Logger;
}

/** Never rejects. `revision` 0 is each member's newest. */
export function askPeerHashes(options: PeerHashesOptions, revision: number): Promise<PeerAnswer[]> {
  const { cluster } = options;
  const others = cluster
    .members()
    .filter(({ id, peerUrls }) => id !== cluster.localId && peerUrls.length > 0);
  return Promise.all(others.map((member) => askOne(options, member, revision)));
}

async function askOne(options: PeerHashesOptions, member: Member, revision: number): Promise<PeerAnswer> {
  let error: Error | undefined;
  for (const url of member.peerUrls) {
    try {
      return { member, hash: await options.peers.hashKv(member, url, revision), error: undefined };
    } catch (cause) {
      error = cause instanceof Error ? cause : new Error(String(cause));
      options.logger.warn("failed hash kv request", {
        "local-member-id": formatId(options.cluster.localId),
        "requested-revision": revision,
        "remote-peer-endpoint": url,
        error: error.message,
      });
    }
  }
  return { member, hash: undefined, error };
}

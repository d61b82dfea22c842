/** Tells the cluster, through the log, this member's name and client URLs; tries again until it has. */
import { create, toBinary } from "../../codec/messages.ts";
import { raftField } from "../../codec/raft-internal.ts";
import type { EtcdError } from "../../errors/etcd-error.ts";
import { ClusterMemberAttrSetRequestSchema } from "../../gen/tables/membershippb/membership.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Cluster } from "../../membership/cluster.ts";
import { formatId } from "../../membership/member.ts";

export interface PublisherOptions {
  readonly name: string;
  readonly clientUrls: readonly string[];
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Between two attempts. */
  readonly retryMs: number;
  readonly isStopping: () => boolean;
  readonly propose: (
    field: number,
    bytes: Uint8Array,
    request: unknown,
    done: (error: EtcdError | undefined) => void,
  ) => void;
}

/** Resolves when the cluster knows; never if the server stops before. */
export function publish(options: PublisherOptions): Promise<void> {
  const { name, clientUrls, cluster, clock, logger, retryMs, isStopping, propose } = options;
  const request = create(ClusterMemberAttrSetRequestSchema, {
    memberID: cluster.localId,
    memberAttributes: { name, clientUrls: [...clientUrls] },
  });
  const bytes = toBinary(ClusterMemberAttrSetRequestSchema, request);
  const ids = { "local-member-id": formatId(cluster.localId), "cluster-id": formatId(cluster.id) };
  return new Promise((resolve) => {
    const attempt = () => {
      if (isStopping()) return;
      propose(raftField.clusterMemberAttrSet, bytes, request, (error) => {
        if (!error) {
          logger.info("published local member to cluster through raft", ids);
          resolve();
          return;
        }
        logger.warn("failed to publish local member to cluster through raft", {
          ...ids,
          error: error.message,
        });
        clock.after(retryMs, attempt);
      });
    };
    attempt();
  });
}

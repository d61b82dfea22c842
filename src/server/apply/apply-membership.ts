/** What members tell about themselves, and the version of the cluster. */
import { raftField } from "../../codec/raft-internal.ts";
import type {
  ClusterMemberAttrSetRequest,
  ClusterVersionSetRequest,
  DowngradeInfoSetRequest,
} from "../../gen/membershippb/membership_pb.ts";
import type { MemberId, RaftIndex, Term } from "../../lib/ids.ts";
import { detectDowngrade } from "../members/detect-downgrade.ts";
import { etcdVersion } from "../versions.ts";
import type { ApplyContext, Outcome } from "./apply-context.ts";

export function applyMembership(
  context: ApplyContext,
  field: number,
  request: unknown,
  index: RaftIndex,
  term: Term,
): Outcome {
  context.store.applyMeta(changesOf(context, field, request), index, term);
  context.onMembershipChange();
  return { result: undefined };
}

function changesOf({ cluster, logger }: ApplyContext, field: number, request: unknown) {
  switch (field) {
    case raftField.clusterMemberAttrSet: {
      const { memberID, memberAttributes } = request as ClusterMemberAttrSetRequest;
      const { name = "", clientUrls = [] } = memberAttributes ?? {};
      return cluster.applyAttributes(memberID as MemberId, name, clientUrls);
    }
    case raftField.clusterVersionSet: {
      const { ver } = request as ClusterVersionSetRequest;
      detectDowngrade(ver);
      logger.info(cluster.version === undefined ? "set initial cluster version" : "updated cluster version", {
        "cluster-version": ver,
      });
      const { enabled, targetVersion } = cluster.downgrade;
      if (enabled && ver === targetVersion) {
        logger.info("The server is ready to downgrade", {
          "target-version": targetVersion,
          "server-version": etcdVersion,
        });
      }
      return cluster.applyVersion(ver);
    }
    default: {
      const { enabled, ver } = request as DowngradeInfoSetRequest;
      return cluster.applyDowngrade({ enabled, targetVersion: enabled ? ver : "" });
    }
  }
}

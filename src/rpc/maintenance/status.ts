/** Maintenance.Status: everything that 3.7 tells of a member. */

import { errors } from "../../errors/table.ts";
import { AlarmType, StatusRequestSchema, StatusResponseSchema } from "../../gen/tables/etcdserverpb/rpc.ts";
import { noMember } from "../../lib/ids.ts";
import type { SingleRequestHandler } from "../../transport/grpc.ts";
import { unaryMessages } from "../handler.ts";
import { responseHeader } from "../response-header.ts";
import type { MaintenanceSource } from "../rpc-server.ts";

export function statusHandler(server: MaintenanceSource): SingleRequestHandler {
  return unaryMessages(StatusRequestSchema, StatusResponseSchema, async () => {
    const raft = server.raftStatus();
    const sizes = server.backendSizes();
    const { downgrade } = server.cluster;
    const complaints = raft.leader === noMember ? [errors.noLeader.text] : [];
    for (const { memberID, alarm } of server.alarms()) complaints.push(alarmText(memberID, alarm));
    return {
      header: responseHeader(server),
      version: server.versions.server,
      dbSize: BigInt(sizes.totalBytes),
      leader: raft.leader,
      raftIndex: BigInt(raft.commitIndex),
      raftTerm: BigInt(raft.term),
      raftAppliedIndex: BigInt(raft.appliedIndex),
      errors: complaints,
      dbSizeInUse: BigInt(sizes.inUseBytes),
      isLearner: server.cluster.isLearner,
      storageVersion: server.versions.storage,
      dbSizeQuota: BigInt(server.quotaBackendBytes),
      downgradeInfo: { enabled: downgrade.enabled, targetVersion: downgrade.targetVersion },
    };
  });
}

const alarmNames: Record<number, string> = {
  [AlarmType.NONE]: "NONE",
  [AlarmType.NOSPACE]: "NOSPACE",
  [AlarmType.CORRUPT]: "CORRUPT",
};

/** An alarm as Go's protobuf prints it, which is what etcd puts here. */
function alarmText(memberId: bigint, alarm: AlarmType): string {
  const member = memberId === 0n ? "" : `memberID:${memberId} `;
  return `${member}alarm:${alarmNames[alarm] ?? alarm}`;
}

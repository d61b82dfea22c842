/** What a server has because it is one of several: made together here, for all of it needs the same few things. */
import { create, toBinary } from "../../codec/messages.ts";
import { raftField } from "../../codec/raft-internal.ts";
import {
  ClusterVersionSetRequestSchema,
  DowngradeInfoSetRequestSchema,
} from "../../gen/tables/membershippb/membership.ts";
import type { MemberId } from "../../lib/ids.ts";
import { LeaderCalls } from "../leader-calls.ts";
import type { Proposals } from "../proposal.ts";
import { type EtcdServerParts, electionTimeoutMs, requestTimeoutMs } from "../server-parts.ts";
import { ClusterVersions } from "./cluster-versions.ts";
import { LeaderTransfer } from "./leader-transfer.ts";
import { MemberChanges } from "./member-changes.ts";
import { PeerSet } from "./peer-set.ts";
import { StalledLog } from "./stalled-log.ts";

export interface ClusterPartsOptions {
  readonly parts: EtcdServerParts;
  readonly proposals: Proposals;
  /** Calls back once everything committed until now is applied. */
  readonly whenCaughtUp: (run: () => void) => void;
  /** Has Raft's loop look for what there is to do. */
  readonly process: () => void;
  /** Tells Raft to hand leadership over. */
  readonly transfer: (target: MemberId) => void;
  readonly isLeader: () => boolean;
  /** Puts a request through the log; nobody waits for it. */
  readonly propose: (proposal: { field: number; bytes: Uint8Array; request: unknown }) => void;
}

export interface ClusterParts {
  readonly leaderCalls: LeaderCalls;
  readonly changes: MemberChanges;
  readonly transfer: LeaderTransfer;
  readonly peerSet: PeerSet;
  readonly versions: ClusterVersions;
  readonly stalledLog: StalledLog;
}

export function makeClusterParts(options: ClusterPartsOptions): ClusterParts {
  const { settings, cluster, peers, clock, node } = options.parts;
  const leader = () => node.leader;
  const leaderCalls = new LeaderCalls({ cluster, clock, leader, timeoutMs: requestTimeoutMs(settings) });
  const transfer = makeTransfer(options);
  const timeoutMs = electionTimeoutMs(settings);
  return {
    leaderCalls,
    changes: makeChanges(options, leaderCalls),
    transfer,
    peerSet: new PeerSet({ cluster, peers, clock, partingMs: 2 * timeoutMs }),
    versions: makeVersions(options),
    stalledLog: new StalledLog({
      node,
      electionTimeoutMs: timeoutMs,
      handOver: (stalledMs) => void transfer.fromStalled(stalledMs, timeoutMs),
    }),
  };
}

function makeChanges(options: ClusterPartsOptions, leaderCalls: LeaderCalls): MemberChanges {
  const { parts, proposals, whenCaughtUp, process } = options;
  const { settings, clock, logger, node, cluster, peers, sha1 } = parts;
  return new MemberChanges({
    cluster,
    node,
    peers,
    clock,
    logger: logger.at("server/members/member-changes.ts"),
    proposals,
    sha1,
    metrics: parts.metrics,
    strict: settings.strictReconfigCheck,
    leaderCalls,
    caughtUp: () => new Promise((resolve) => whenCaughtUp(resolve)),
    process,
  });
}

function makeTransfer({ parts, transfer }: ClusterPartsOptions): LeaderTransfer {
  const { settings, clock, logger, node, cluster, peers } = parts;
  return new LeaderTransfer({
    cluster,
    clock,
    logger: logger.at("server/members/leader-transfer.ts"),
    peers,
    tickMs: settings.tickMs,
    leader: () => node.leader,
    matchOf: (id) => node.status().progress.get(id)?.match ?? 0,
    transfer,
  });
}

function makeVersions({ parts, isLeader, propose }: ClusterPartsOptions): ClusterVersions {
  const { clock, logger, cluster, peers, settings } = parts;
  return new ClusterVersions({
    downgradeCheckMs: settings.downgradeCheckMs,
    cluster,
    peers,
    clock,
    logger: logger.at("server/members/cluster-versions.ts"),
    isLeader,
    propose: (ver) => {
      const request = create(ClusterVersionSetRequestSchema, { ver });
      const bytes = toBinary(ClusterVersionSetRequestSchema, request);
      propose({ field: raftField.clusterVersionSet, bytes, request });
    },
    endDowngrade: () => {
      const request = create(DowngradeInfoSetRequestSchema, { enabled: false });
      const bytes = toBinary(DowngradeInfoSetRequestSchema, request);
      propose({ field: raftField.downgradeInfoSet, bytes, request });
    },
  });
}

/** All services of a server, by path. What a later version brings is absent, and so answered with Unimplemented. */
import type { ServiceTable } from "../codec/message-table.ts";
import { decodeRangeRequest } from "../codec/range.ts";
import { Auth, Cluster, KV, Lease, Maintenance, Watch } from "../gen/tables/etcdserverpb/rpc.ts";
import { Explore } from "../gen/tables/etclitepb/explore.ts";
import { Health } from "../gen/tables/grpc/health/v1/health.ts";
import { Election } from "../gen/tables/v3electionpb/v3election.ts";
import { Lock } from "../gen/tables/v3lockpb/v3lock.ts";
import { Metrics } from "../lib/metrics.ts";
import type { GrpcHandler } from "../transport/grpc.ts";
import { authenticateHandler } from "./auth/authenticate.ts";
import { logRequestHandlers } from "./auth/log-requests.ts";
import { userAddHandler, userChangePasswordHandler } from "./auth/passwords.ts";
import { ClientRequests } from "./client-requests.ts";
import { memberAddHandler } from "./cluster/member-add.ts";
import { memberListHandler } from "./cluster/member-list.ts";
import { memberPromoteHandler } from "./cluster/member-promote.ts";
import { memberRemoveHandler } from "./cluster/member-remove.ts";
import { memberUpdateHandler } from "./cluster/member-update.ts";
import { campaignHandler } from "./election/campaign.ts";
import { leaderHandler } from "./election/leader.ts";
import { observeHandler } from "./election/observe.ts";
import { proclaimHandler } from "./election/proclaim.ts";
import { resignHandler } from "./election/resign.ts";
import { listLevelHandler } from "./explore/list-level.ts";
import { revisionAtHandler } from "./explore/revision-at.ts";
import { guardAuth } from "./guard-auth.ts";
import { type GuardedServer, type LearnerServes, RouteGuard } from "./guard-routes.ts";
import { type HealthStatus, healthHandlers } from "./health.ts";
import { compactHandler } from "./kv/compact.ts";
import { deleteRangeHandler } from "./kv/delete-range.ts";
import { putHandler } from "./kv/put.ts";
import { rangeHandler } from "./kv/range.ts";
import { rangeStreamHandler } from "./kv/range-stream.ts";
import { txnHandler } from "./kv/txn.ts";
import { grantHandler } from "./lease/grant.ts";
import { keepAliveHandler } from "./lease/keep-alive.ts";
import { leasesHandler } from "./lease/leases.ts";
import { revokeHandler } from "./lease/revoke.ts";
import { timeToLiveHandler } from "./lease/time-to-live.ts";
import { lockHandler } from "./lock/lock.ts";
import { unlockHandler } from "./lock/unlock.ts";
import { alarmHandler } from "./maintenance/alarm.ts";
import { defragmentHandler } from "./maintenance/defragment.ts";
import { downgradeHandler } from "./maintenance/downgrade.ts";
import { hashHandler, hashKvHandler } from "./maintenance/hash.ts";
import { moveLeaderHandler } from "./maintenance/move-leader.ts";
import { snapshotHandler } from "./maintenance/snapshot.ts";
import { statusHandler } from "./maintenance/status.ts";
import { Places } from "./places/places.ts";
import type { LeaseSource, MaintenanceSource, MembersService, WatchService } from "./rpc-server.ts";
import { watchHandler } from "./watch/watch.ts";

/** The descriptions of all of etcd's services, served or not. */
export const services: readonly ServiceTable[] = [
  KV,
  Watch,
  Lease,
  Cluster,
  Maintenance,
  Auth,
  Lock,
  Election,
  Health,
];

/** What etcd does not have. */
export const ownServices: readonly ServiceTable[] = [Explore];

/**
 * What a member that only learns serves. etcd's serve reads of their own state and nothing else; ours let clients watch
 * it too. Of all else a learner knows too little, or could only ask a voter.
 */
const learnerServes: Readonly<Record<string, LearnerServes>> = {
  [`/${KV.typeName}/Range`]: isSerializable,
  [`/${KV.typeName}/RangeStream`]: isSerializable,
  [`/${Watch.typeName}/Watch`]: "all",
  [`/${Maintenance.typeName}/Status`]: "all",
  [`/${Maintenance.typeName}/Snapshot`]: "all",
  [`/${Health.typeName}/Check`]: "all",
  [`/${Health.typeName}/List`]: "all",
  [`/${Health.typeName}/Watch`]: "all",
};

/** What cannot be read is for the handler to refuse. */
function isSerializable(message: Uint8Array): boolean {
  try {
    return decodeRangeRequest(message).serializable;
  } catch {
    return true;
  }
}

export function createRoutes(
  server: MaintenanceSource & LeaseSource & WatchService & MembersService & GuardedServer,
  health: HealthStatus,
  metrics: Metrics = new Metrics(),
): Map<string, GrpcHandler> {
  const service = (name: string, methods: Record<string, GrpcHandler>) =>
    Object.entries(methods).map(([method, handler]) => [`/${name}/${method}`, handler] as const);
  const routes = new Map<string, GrpcHandler>();
  // They come in by the same doors as everybody else.
  const places = new Places(server, routes);
  const handlers: (readonly [string, GrpcHandler])[] = [
    ...service(KV.typeName, {
      Range: rangeHandler(server),
      RangeStream: rangeStreamHandler(server),
      Put: putHandler(server),
      DeleteRange: deleteRangeHandler(server),
      Txn: txnHandler(server),
      Compact: compactHandler(server),
    }),
    ...service(Watch.typeName, { Watch: watchHandler(server) }),
    ...service(Lease.typeName, {
      LeaseGrant: grantHandler(server),
      LeaseRevoke: revokeHandler(server),
      LeaseKeepAlive: keepAliveHandler(server),
      LeaseTimeToLive: timeToLiveHandler(server),
      LeaseLeases: leasesHandler(server),
    }),
    ...service(Cluster.typeName, {
      MemberAdd: memberAddHandler(server),
      MemberRemove: memberRemoveHandler(server),
      MemberUpdate: memberUpdateHandler(server),
      MemberList: memberListHandler(server),
      MemberPromote: memberPromoteHandler(server),
    }),
    ...service(Maintenance.typeName, {
      Alarm: alarmHandler(server),
      Status: statusHandler(server),
      Defragment: defragmentHandler(server),
      Downgrade: downgradeHandler(server),
      MoveLeader: moveLeaderHandler(server),
      Hash: hashHandler(server),
      HashKV: hashKvHandler(server),
      Snapshot: snapshotHandler(server),
    }),
    ...service(Lock.typeName, { Lock: lockHandler(places), Unlock: unlockHandler(places) }),
    ...service(Election.typeName, {
      Campaign: campaignHandler(places),
      Proclaim: proclaimHandler(places),
      Leader: leaderHandler(places),
      Observe: observeHandler(server, places),
      Resign: resignHandler(places),
    }),
    ...service(Auth.typeName, {
      Authenticate: authenticateHandler(server),
      UserAdd: userAddHandler(server),
      UserChangePassword: userChangePasswordHandler(server),
      ...logRequestHandlers(server),
    }),
    ...service(Explore.typeName, {
      ListLevel: listLevelHandler(server),
      RevisionAt: revisionAtHandler(server),
    }),
    ...service(Health.typeName, healthHandlers(health)),
  ];
  const guard = new RouteGuard(server, new ClientRequests(metrics));
  for (const [path, handler] of handlers) {
    routes.set(path, guard.guard(guardAuth(server, path, handler), learnerServes[path] ?? "none"));
  }
  return routes;
}

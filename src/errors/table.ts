/**
 * Every error that etcd 3.7 answers clients with: its gRPC code and its exact text. Clients tell errors apart by text
 * (clientv3 looks the text up in a table of its own), so a letter matters.
 *
 * The names are etcd's without `Err` or `ErrGRPC`. Call one to make the error (`throw errors.compacted()`); its code and
 * text can be had without making one (`errors.compacted.text`).
 */
import { EtcdError, GrpcCode } from "./etcd-error.ts";

/** Makes one kind of error. */
export interface ErrorFactory {
  (): EtcdError;
  readonly code: GrpcCode;
  readonly text: string;
}

function define(code: GrpcCode, text: string): ErrorFactory {
  return Object.freeze(Object.assign(() => new EtcdError(code, text), { code, text }));
}

const keyValue = {
  emptyKey: define(GrpcCode.invalidArgument, "etcdserver: key is not provided"),
  keyNotFound: define(GrpcCode.invalidArgument, "etcdserver: key not found"),
  valueProvided: define(GrpcCode.invalidArgument, "etcdserver: value is provided"),
  leaseProvided: define(GrpcCode.invalidArgument, "etcdserver: lease is provided"),
  tooManyOps: define(GrpcCode.invalidArgument, "etcdserver: too many operations in txn request"),
  duplicateKey: define(GrpcCode.invalidArgument, "etcdserver: duplicate key given in txn request"),
  invalidSortOption: define(GrpcCode.invalidArgument, "etcdserver: invalid sort option"),
  compacted: define(GrpcCode.outOfRange, "etcdserver: mvcc: required revision has been compacted"),
  futureRev: define(GrpcCode.outOfRange, "etcdserver: mvcc: required revision is a future revision"),
  noSpace: define(GrpcCode.resourceExhausted, "etcdserver: mvcc: database space exceeded"),
  /** RangeStream gives keys in order and nothing else. */
  rangeStreamSort: define(GrpcCode.unimplemented, "RangeStream does not support custom sort orders"),
  rangeStreamFilter: define(GrpcCode.unimplemented, "RangeStream does not support revision filters"),
};

const lease = {
  leaseNotFound: define(GrpcCode.notFound, "etcdserver: requested lease not found"),
  leaseExist: define(GrpcCode.failedPrecondition, "etcdserver: lease already exists"),
  leaseTtlTooLarge: define(GrpcCode.outOfRange, "etcdserver: too large lease TTL"),
};

const watch = {
  watchCanceled: define(GrpcCode.canceled, "etcdserver: watch canceled"),
  /** The reason in the answer that cancels a watch whose key is not before its range_end. */
  emptyWatcherRange: define(GrpcCode.unknown, "mvcc: watcher range is empty"),
  /** The reason in the answer to a create request with a watch_id that is in use on the stream. */
  watcherDuplicateId: define(GrpcCode.unknown, "mvcc: duplicate watch ID provided on the WatchStream"),
};

const member = {
  memberExist: define(GrpcCode.failedPrecondition, "etcdserver: member ID already exist"),
  peerUrlExist: define(GrpcCode.failedPrecondition, "etcdserver: Peer URLs already exists"),
  /** etcd maps this one to its client-side form, which reaches the wire as Unknown. */
  memberNotEnoughStarted: define(
    GrpcCode.unknown,
    "etcdserver: re-configuration failed due to not enough started members",
  ),
  memberBadUrls: define(GrpcCode.invalidArgument, "etcdserver: given member URLs are invalid"),
  /** Also for a member that was removed. */
  memberNotFound: define(GrpcCode.notFound, "etcdserver: member not found"),
  memberNotLearner: define(GrpcCode.failedPrecondition, "etcdserver: can only promote a learner member"),
  learnerNotReady: define(
    GrpcCode.failedPrecondition,
    "etcdserver: can only promote a learner member which is in sync with leader",
  ),
  tooManyLearners: define(GrpcCode.failedPrecondition, "etcdserver: too many learner members in cluster"),
  clusterIdMismatch: define(GrpcCode.failedPrecondition, "etcdserver: cluster ID mismatch"),
};

const auth = {
  rootUserNotExist: define(GrpcCode.failedPrecondition, "etcdserver: root user does not exist"),
  rootRoleNotExist: define(GrpcCode.failedPrecondition, "etcdserver: root user does not have root role"),
  userAlreadyExist: define(GrpcCode.failedPrecondition, "etcdserver: user name already exists"),
  userEmpty: define(GrpcCode.invalidArgument, "etcdserver: user name is empty"),
  userNotFound: define(GrpcCode.failedPrecondition, "etcdserver: user name not found"),
  roleAlreadyExist: define(GrpcCode.failedPrecondition, "etcdserver: role name already exists"),
  roleNotFound: define(GrpcCode.failedPrecondition, "etcdserver: role name not found"),
  roleEmpty: define(GrpcCode.invalidArgument, "etcdserver: role name is empty"),
  authFailed: define(
    GrpcCode.invalidArgument,
    "etcdserver: authentication failed, invalid user ID or password",
  ),
  permissionNotGiven: define(GrpcCode.invalidArgument, "etcdserver: permission not given"),
  permissionDenied: define(GrpcCode.permissionDenied, "etcdserver: permission denied"),
  roleNotGranted: define(GrpcCode.failedPrecondition, "etcdserver: role is not granted to the user"),
  permissionNotGranted: define(
    GrpcCode.failedPrecondition,
    "etcdserver: permission is not granted to the role",
  ),
  authNotEnabled: define(GrpcCode.failedPrecondition, "etcdserver: authentication is not enabled"),
  invalidAuthToken: define(GrpcCode.unauthenticated, "etcdserver: invalid auth token"),
  invalidAuthMgmt: define(GrpcCode.invalidArgument, "etcdserver: invalid auth management"),
  authOldRevision: define(GrpcCode.invalidArgument, "etcdserver: revision of auth store is old"),
  /** Not in etcd's table of codes, so Unknown. */
  noPasswordUser: define(
    GrpcCode.unknown,
    "auth: authentication failed, password was given for no password user",
  ),
};

const cluster = {
  noLeader: define(GrpcCode.unavailable, "etcdserver: no leader"),
  notLeader: define(GrpcCode.failedPrecondition, "etcdserver: not leader"),
  leaderChanged: define(GrpcCode.unavailable, "etcdserver: leader changed"),
  notCapable: define(GrpcCode.failedPrecondition, "etcdserver: not capable"),
  stopped: define(GrpcCode.unavailable, "etcdserver: server stopped"),
  timeout: define(GrpcCode.unavailable, "etcdserver: request timed out"),
  timeoutDueToLeaderFail: define(
    GrpcCode.unavailable,
    "etcdserver: request timed out, possibly due to previous leader failure",
  ),
  timeoutDueToConnectionLost: define(
    GrpcCode.unavailable,
    "etcdserver: request timed out, possibly due to connection lost",
  ),
  timeoutWaitAppliedIndex: define(
    GrpcCode.unavailable,
    "etcdserver: request timed out, waiting for the applied index took too long",
  ),
  /** Not in etcd's table of codes, so Unknown. */
  timeoutLeaderTransfer: define(
    GrpcCode.unknown,
    "etcdserver: request timed out, leader transfer took too long",
  ),
  unhealthy: define(GrpcCode.unavailable, "etcdserver: unhealthy cluster"),
  corrupt: define(GrpcCode.dataLoss, "etcdserver: corrupt cluster"),
  notSupportedForLearner: define(GrpcCode.failedPrecondition, "etcdserver: rpc not supported for learner"),
  badLeaderTransferee: define(GrpcCode.failedPrecondition, "etcdserver: bad leader transferee"),
  wrongDowngradeVersionFormat: define(
    GrpcCode.invalidArgument,
    "etcdserver: wrong downgrade target version format",
  ),
  invalidDowngradeTargetVersion: define(
    GrpcCode.invalidArgument,
    "etcdserver: invalid downgrade target version",
  ),
  clusterVersionUnavailable: define(
    GrpcCode.failedPrecondition,
    "etcdserver: cluster version not found during downgrade",
  ),
  downgradeInProcess: define(
    GrpcCode.failedPrecondition,
    "etcdserver: cluster has a downgrade job in progress",
  ),
  noInflightDowngrade: define(GrpcCode.failedPrecondition, "etcdserver: no inflight downgrade job"),
};

const request = {
  requestTooLarge: define(GrpcCode.invalidArgument, "etcdserver: request is too large"),
  /** As memberNotEnoughStarted: ResourceExhausted in etcd's table, Unknown on the wire. */
  tooManyRequests: define(GrpcCode.unknown, "etcdserver: too many requests"),
  invalidClientApiVersion: define(GrpcCode.invalidArgument, "etcdserver: invalid client api version"),
  unknownMethod: define(GrpcCode.unknown, "etcdserver: unknown method"),
  /** The server gave up a request. When the client did, it is one of the two `context` errors. */
  canceled: define(GrpcCode.canceled, "etcdserver: request canceled"),
  deadlineExceeded: define(GrpcCode.deadlineExceeded, "etcdserver: context deadline exceeded"),
  contextCanceled: define(GrpcCode.canceled, "context canceled"),
  contextDeadlineExceeded: define(GrpcCode.deadlineExceeded, "context deadline exceeded"),
};

/** The table. The texts are all different, so a text alone identifies an error. */
export const errors = Object.freeze({
  ...keyValue,
  ...lease,
  ...watch,
  ...member,
  ...auth,
  ...cluster,
  ...request,
});

/** A unary request that is not Protobuf; `reason` as protobuf-go gives it. */
export function malformedRequest(reason: string): EtcdError {
  return new EtcdError(GrpcCode.internal, `grpc: error unmarshalling request: ${reason}`);
}

/** The same for a message on a stream, where grpc-go uses other words. */
export function malformedStreamMessage(reason: string): EtcdError {
  return new EtcdError(GrpcCode.internal, `grpc: failed to unmarshal the received message: ${reason}`);
}

/**
 * An error as Go prints it ("rpc error: code = X desc = Y"), which is what etcd puts into cancel_reason when auth
 * refuses a watch.
 */
export function goStatusText(error: EtcdError): string {
  return `rpc error: code = ${codeNames[error.code]} desc = ${error.message}`;
}

/** grpc-go's names of the codes, in order of their numbers. */
export const codeNames: readonly string[] = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

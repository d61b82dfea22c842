/**
 * What each call of each service answers to each kind of caller, when authentication is on. The table is the expectation;
 * it was taken from etcd 3.7's own checks.
 */
import type { DescMethod } from "@bufbuild/protobuf";
import { errors } from "../../src/errors/table.ts";
import { Auth, Cluster, KV, Lease, Maintenance, Watch } from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { Election } from "../../src/gen/v3electionpb/v3election_pb.ts";
import { Lock } from "../../src/gen/v3lockpb/v3lock_pb.ts";
import { bytes } from "./secured-server.ts";

/** Nobody; a user without roles; one who may read and write the keys "k…"; the root user; and a token that is none. */
export const callers = ["anonymous", "stranger", "permitted", "root", "impostor"] as const;
export type CallerKind = (typeof callers)[number];
export type Endings = Readonly<Record<CallerKind, string>>;

export interface MatrixRow {
  readonly method: DescMethod;
  /** Which of several rows of a method this is. */
  readonly what?: string;
  readonly request: object;
  readonly endings: Endings;
}

const ok = "ok";
const denied = errors.permissionDenied.text;
const nobody = errors.userEmpty.text;
const notLeader = "election: not leader";
const impostor = errors.invalidAuthToken.text;

const open: Endings = { anonymous: ok, stranger: ok, permitted: ok, root: ok, impostor };
const anyUser: Endings = { ...open, anonymous: nobody };
const withPermission: Endings = { ...anyUser, stranger: denied };
const rootOnly: Endings = { ...withPermission, permitted: denied };
/** The root user gets as far as the error that the request itself deserves. */
const rootGets = (text: string): Endings => ({ ...rootOnly, root: text });

const key = bytes("k1");
const foreign = bytes("x");
const range = { key, rangeEnd: bytes("k9") };
const nested = (op: object) => ({ success: [{ request: { case: "requestTxn", value: { success: [op] } } }] });
const put = (value: object) => ({ request: { case: "requestPut", value } });

const kvRows: MatrixRow[] = [
  { method: KV.method.range, request: range, endings: withPermission },
  {
    method: KV.method.range,
    what: "serializable",
    request: { ...range, serializable: true },
    endings: withPermission,
  },
  { method: KV.method.range, what: "one key", request: { key }, endings: withPermission },
  { method: KV.method.range, what: "too far", request: { key, rangeEnd: bytes("\0") }, endings: rootOnly },
  { method: KV.method.rangeStream, request: range, endings: withPermission },
  {
    method: KV.method.rangeStream,
    what: "too far",
    request: { key, rangeEnd: bytes("\0") },
    endings: rootOnly,
  },
  { method: KV.method.put, request: { key, prevKv: true }, endings: withPermission },
  { method: KV.method.put, what: "foreign", request: { key: foreign }, endings: rootOnly },
  { method: KV.method.deleteRange, request: { ...range, prevKv: true }, endings: withPermission },
  { method: KV.method.deleteRange, what: "foreign", request: { key: foreign }, endings: rootOnly },
  { method: KV.method.txn, request: nested(put({ key })), endings: withPermission },
  { method: KV.method.txn, what: "foreign", request: nested(put({ key: foreign })), endings: rootOnly },
  {
    method: KV.method.txn,
    what: "that only reads",
    request: { success: [{ request: { case: "requestRange", value: range } }] },
    endings: withPermission,
  },
  {
    method: KV.method.txn,
    what: "that compares what it may not read",
    request: { compare: [{ key: foreign }], success: [{ request: { case: "requestRange", value: range } }] },
    endings: rootOnly,
  },
  { method: KV.method.compact, request: { revision: 1_000_000n }, endings: rootGets(errors.futureRev.text) },
];

const watchRows: MatrixRow[] = [
  {
    method: Watch.method.watch,
    request: { requestUnion: { case: "createRequest", value: range } },
    endings: withPermission,
  },
  {
    method: Watch.method.watch,
    what: "too far",
    request: { requestUnion: { case: "createRequest", value: { key, rangeEnd: bytes("\0") } } },
    endings: rootOnly,
  },
];

/** Of leases: 7 has a key that only the root user may write, 8 one that the permitted user may write too. */
const leaseRows: MatrixRow[] = [
  { method: Lease.method.leaseGrant, request: { TTL: 100n }, endings: anyUser },
  {
    method: Lease.method.leaseRevoke,
    request: { ID: 7n },
    what: "foreign",
    endings: { ...rootOnly, root: ok },
  },
  {
    method: Lease.method.leaseRevoke,
    what: "that is not there",
    request: { ID: 99n },
    endings: {
      ...anyUser,
      stranger: errors.leaseNotFound.text,
      permitted: errors.leaseNotFound.text,
      root: errors.leaseNotFound.text,
    },
  },
  { method: Lease.method.leaseKeepAlive, request: { ID: 7n }, what: "foreign", endings: rootOnly },
  { method: Lease.method.leaseKeepAlive, request: { ID: 8n }, endings: withPermission },
  { method: Lease.method.leaseTimeToLive, request: { ID: 7n }, endings: anyUser },
  {
    method: Lease.method.leaseTimeToLive,
    what: "with foreign keys",
    request: { ID: 7n, keys: true },
    endings: rootOnly,
  },
  {
    method: Lease.method.leaseTimeToLive,
    what: "with keys",
    request: { ID: 8n, keys: true },
    endings: withPermission,
  },
  { method: Lease.method.leaseLeases, request: {}, endings: rootOnly },
];

const clusterRows: MatrixRow[] = [
  { method: Cluster.method.memberList, request: {}, endings: anyUser },
  {
    method: Cluster.method.memberList,
    what: "linearizable",
    request: { linearizable: true },
    endings: anyUser,
  },
  { method: Cluster.method.memberAdd, request: {}, endings: rootGets(errors.memberBadUrls.text) },
  { method: Cluster.method.memberRemove, request: { ID: 1n }, endings: rootGets(errors.memberNotFound.text) },
  {
    method: Cluster.method.memberUpdate,
    request: { ID: 1n, peerURLs: ["http://127.0.0.1:1"] },
    endings: rootGets(errors.memberNotFound.text),
  },
  {
    method: Cluster.method.memberUpdate,
    what: "without URLs",
    request: { ID: 1n, peerURLs: [] },
    endings: rootGets(errors.memberNotFound.text),
  },
  {
    method: Cluster.method.memberPromote,
    request: { ID: 1n },
    endings: rootGets(errors.memberNotFound.text),
  },
];

const maintenanceRows: MatrixRow[] = [
  { method: Maintenance.method.alarm, what: "list", request: { action: 0 }, endings: anyUser },
  { method: Maintenance.method.alarm, what: "raise", request: { action: 1, alarm: 0 }, endings: rootOnly },
  { method: Maintenance.method.alarm, what: "disarm", request: { action: 2, alarm: 1 }, endings: rootOnly },
  { method: Maintenance.method.status, request: {}, endings: anyUser },
  { method: Maintenance.method.defragment, request: {}, endings: rootOnly },
  { method: Maintenance.method.hash, request: {}, endings: rootOnly },
  { method: Maintenance.method.hashKV, request: {}, endings: rootOnly },
  { method: Maintenance.method.snapshot, request: {}, endings: rootOnly },
  {
    method: Maintenance.method.moveLeader,
    request: { targetID: 1n },
    endings: rootGets(errors.badLeaderTransferee.text),
  },
  {
    method: Maintenance.method.downgrade,
    request: { action: 0, version: "x" },
    endings: rootGets(errors.wrongDowngradeVersionFormat.text),
  },
];

const wrongPassword: Endings = {
  anonymous: errors.authFailed.text,
  stranger: errors.authFailed.text,
  permitted: errors.authFailed.text,
  root: errors.authFailed.text,
  impostor: errors.authFailed.text,
};

const authRows: MatrixRow[] = [
  { method: Auth.method.authStatus, request: {}, endings: open },
  { method: Auth.method.authenticate, request: { name: "root", password: "no" }, endings: wrongPassword },
  { method: Auth.method.authEnable, request: {}, endings: rootOnly },
  {
    method: Auth.method.userAdd,
    request: { name: "root", password: "x" },
    endings: rootGets(errors.userAlreadyExist.text),
  },
  { method: Auth.method.userGet, request: { name: "permitted" }, endings: { ...rootOnly, permitted: ok } },
  { method: Auth.method.userGet, what: "of another", request: { name: "root" }, endings: rootOnly },
  { method: Auth.method.userList, request: {}, endings: rootOnly },
  {
    method: Auth.method.userDelete,
    request: { name: "nobody" },
    endings: rootGets(errors.userNotFound.text),
  },
  {
    method: Auth.method.userChangePassword,
    request: { name: "nobody", password: "x" },
    endings: rootGets(errors.userNotFound.text),
  },
  {
    method: Auth.method.userGrantRole,
    request: { user: "nobody", role: "root" },
    endings: rootGets(errors.userNotFound.text),
  },
  {
    method: Auth.method.userRevokeRole,
    request: { name: "nobody", role: "root" },
    endings: rootGets(errors.userNotFound.text),
  },
  { method: Auth.method.roleAdd, request: { name: "k" }, endings: rootGets(errors.roleAlreadyExist.text) },
  { method: Auth.method.roleGet, request: { role: "k" }, endings: { ...rootOnly, permitted: ok } },
  { method: Auth.method.roleGet, what: "of another", request: { role: "other" }, endings: rootOnly },
  { method: Auth.method.roleList, request: {}, endings: rootOnly },
  { method: Auth.method.roleDelete, request: { role: "none" }, endings: rootGets(errors.roleNotFound.text) },
  {
    method: Auth.method.roleGrantPermission,
    request: { name: "none", perm: { key } },
    endings: rootGets(errors.roleNotFound.text),
  },
  {
    method: Auth.method.roleRevokePermission,
    request: { role: "none", key },
    endings: rootGets(errors.roleNotFound.text),
  },
  // Last, because it lets everybody in.
  { method: Auth.method.authDisable, request: {}, endings: rootOnly },
];

/** They are kept in keys, and are for those who may read and write these; whoever waits renews a lease as well. */
const lock = { name: bytes("k1"), lease: 8n };
const foreignLock = { name: foreign, lease: 7n };
const campaign = { name: bytes("k2"), lease: 8n, value: bytes("me") };
/** Of a campaign that was long ago. */
const leader = { name: bytes("k2"), key: bytes("k2/8"), rev: 1n, lease: 8n };
const foreignLeader = { name: foreign, key: bytes("x/7"), rev: 1n, lease: 7n };
const placeRows: MatrixRow[] = [
  { method: Lock.method.lock, request: lock, endings: withPermission },
  { method: Lock.method.lock, what: "foreign", request: foreignLock, endings: rootOnly },
  { method: Lock.method.unlock, request: { key: bytes("k1/8") }, endings: withPermission },
  { method: Lock.method.unlock, what: "foreign", request: { key: bytes("x/7") }, endings: rootOnly },
  { method: Election.method.campaign, request: campaign, endings: withPermission },
  {
    method: Election.method.campaign,
    what: "foreign",
    request: { ...campaign, ...foreignLock },
    endings: rootOnly,
  },
  { method: Election.method.leader, request: { name: bytes("k2") }, endings: withPermission },
  { method: Election.method.leader, what: "foreign", request: { name: foreign }, endings: rootOnly },
  { method: Election.method.observe, request: { name: bytes("k2") }, endings: withPermission },
  { method: Election.method.observe, what: "foreign", request: { name: foreign }, endings: rootOnly },
  {
    method: Election.method.proclaim,
    request: { leader, value: bytes("v") },
    endings: { ...withPermission, permitted: notLeader, root: notLeader },
  },
  {
    method: Election.method.proclaim,
    what: "foreign",
    request: { leader: foreignLeader, value: bytes("v") },
    endings: rootGets(notLeader),
  },
  { method: Election.method.resign, request: { leader }, endings: withPermission },
  { method: Election.method.resign, what: "foreign", request: { leader: foreignLeader }, endings: rootOnly },
];

export const matrix: readonly MatrixRow[] = [
  ...kvRows,
  ...watchRows,
  ...leaseRows,
  ...clusterRows,
  ...maintenanceRows,
  ...placeRows,
  ...authRows,
];

export const servicesInMatrix = [KV, Watch, Lease, Cluster, Maintenance, Lock, Election, Auth];

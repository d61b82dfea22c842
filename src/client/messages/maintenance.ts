/** Messages of the Maintenance service. Fields are named as in etcd's .proto files. */
import {
  bool,
  bytes,
  enumeration,
  inner,
  int64,
  list,
  type MessageOf,
  message,
  string,
  uint32,
  uint64,
} from "../wire/message.ts";
import { responseHeader } from "./kv.ts";

export const alarmMember = message({
  memberID: uint64(1),
  alarm: enumeration(2),
});
export type AlarmMember = MessageOf<typeof alarmMember>;

export const alarmRequest = message({
  action: enumeration(1),
  memberID: uint64(2),
  alarm: enumeration(3),
});
export type AlarmRequest = MessageOf<typeof alarmRequest>;

export const alarmResponse = message({
  header: inner(1, responseHeader),
  alarms: list(inner(2, alarmMember)),
});
export type AlarmResponse = MessageOf<typeof alarmResponse>;

export const downgradeInfo = message({
  enabled: bool(1),
  targetVersion: string(2),
});
export type DowngradeInfo = MessageOf<typeof downgradeInfo>;

export const statusRequest = message({});
export type StatusRequest = MessageOf<typeof statusRequest>;

export const statusResponse = message({
  header: inner(1, responseHeader),
  version: string(2),
  dbSize: int64(3),
  leader: uint64(4),
  raftIndex: uint64(5),
  raftTerm: uint64(6),
  raftAppliedIndex: uint64(7),
  errors: list(string(8)),
  dbSizeInUse: int64(9),
  isLearner: bool(10),
  storageVersion: string(11),
  dbSizeQuota: int64(12),
  downgradeInfo: inner(13, downgradeInfo),
});
export type StatusResponse = MessageOf<typeof statusResponse>;

export const defragmentRequest = message({});
export type DefragmentRequest = MessageOf<typeof defragmentRequest>;

export const defragmentResponse = message({
  header: inner(1, responseHeader),
});
export type DefragmentResponse = MessageOf<typeof defragmentResponse>;

export const hashKVRequest = message({
  revision: int64(1),
});
export type HashKVRequest = MessageOf<typeof hashKVRequest>;

export const hashKVResponse = message({
  header: inner(1, responseHeader),
  hash: uint32(2),
  compact_revision: int64(3),
  hash_revision: int64(4),
});
export type HashKVResponse = MessageOf<typeof hashKVResponse>;

export const snapshotRequest = message({});
export type SnapshotRequest = MessageOf<typeof snapshotRequest>;

export const snapshotResponse = message({
  header: inner(1, responseHeader),
  remaining_bytes: uint64(2),
  blob: bytes(3),
  version: string(4),
});
export type SnapshotResponse = MessageOf<typeof snapshotResponse>;

export const moveLeaderRequest = message({
  targetID: uint64(1),
});
export type MoveLeaderRequest = MessageOf<typeof moveLeaderRequest>;

export const moveLeaderResponse = message({
  header: inner(1, responseHeader),
});
export type MoveLeaderResponse = MessageOf<typeof moveLeaderResponse>;

export const downgradeRequest = message({
  action: enumeration(1),
  version: string(2),
});
export type DowngradeRequest = MessageOf<typeof downgradeRequest>;

export const downgradeResponse = message({
  header: inner(1, responseHeader),
  version: string(2),
});
export type DowngradeResponse = MessageOf<typeof downgradeResponse>;

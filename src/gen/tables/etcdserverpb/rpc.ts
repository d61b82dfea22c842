// Written by .ci/make/message-tables.ts from etcdserverpb/rpc.proto: `npm run gen`.

import type { EnumTable, MessageTable, ServiceTable } from "../../../codec/message-table.ts";
import type * as pb from "../../etcdserverpb/rpc_pb.ts";
import { EventSchema, KeyValueSchema } from "../mvccpb/kv.ts";
import { PermissionSchema, UserAddOptionsSchema } from "../authpb/auth.ts";

export type ResponseHeader = pb.ResponseHeader;
export type RangeRequest = pb.RangeRequest;
export type RangeResponse = pb.RangeResponse;
export type PutRequest = pb.PutRequest;
export type PutResponse = pb.PutResponse;
export type DeleteRangeRequest = pb.DeleteRangeRequest;
export type DeleteRangeResponse = pb.DeleteRangeResponse;
export type RequestOp = pb.RequestOp;
export type ResponseOp = pb.ResponseOp;
export type Compare = pb.Compare;
export type TxnRequest = pb.TxnRequest;
export type TxnResponse = pb.TxnResponse;
export type CompactionRequest = pb.CompactionRequest;
export type CompactionResponse = pb.CompactionResponse;
export type HashRequest = pb.HashRequest;
export type HashKVRequest = pb.HashKVRequest;
export type HashKVResponse = pb.HashKVResponse;
export type HashResponse = pb.HashResponse;
export type SnapshotRequest = pb.SnapshotRequest;
export type SnapshotResponse = pb.SnapshotResponse;
export type WatchRequest = pb.WatchRequest;
export type WatchCreateRequest = pb.WatchCreateRequest;
export type WatchCancelRequest = pb.WatchCancelRequest;
export type WatchProgressRequest = pb.WatchProgressRequest;
export type WatchResponse = pb.WatchResponse;
export type LeaseGrantRequest = pb.LeaseGrantRequest;
export type LeaseGrantResponse = pb.LeaseGrantResponse;
export type LeaseRevokeRequest = pb.LeaseRevokeRequest;
export type LeaseRevokeResponse = pb.LeaseRevokeResponse;
export type LeaseCheckpoint = pb.LeaseCheckpoint;
export type LeaseCheckpointRequest = pb.LeaseCheckpointRequest;
export type LeaseCheckpointResponse = pb.LeaseCheckpointResponse;
export type LeaseKeepAliveRequest = pb.LeaseKeepAliveRequest;
export type LeaseKeepAliveResponse = pb.LeaseKeepAliveResponse;
export type LeaseTimeToLiveRequest = pb.LeaseTimeToLiveRequest;
export type LeaseTimeToLiveResponse = pb.LeaseTimeToLiveResponse;
export type LeaseLeasesRequest = pb.LeaseLeasesRequest;
export type LeaseStatus = pb.LeaseStatus;
export type LeaseLeasesResponse = pb.LeaseLeasesResponse;
export type Member = pb.Member;
export type MemberAddRequest = pb.MemberAddRequest;
export type MemberAddResponse = pb.MemberAddResponse;
export type MemberRemoveRequest = pb.MemberRemoveRequest;
export type MemberRemoveResponse = pb.MemberRemoveResponse;
export type MemberUpdateRequest = pb.MemberUpdateRequest;
export type MemberUpdateResponse = pb.MemberUpdateResponse;
export type MemberListRequest = pb.MemberListRequest;
export type MemberListResponse = pb.MemberListResponse;
export type MemberPromoteRequest = pb.MemberPromoteRequest;
export type MemberPromoteResponse = pb.MemberPromoteResponse;
export type DefragmentRequest = pb.DefragmentRequest;
export type DefragmentResponse = pb.DefragmentResponse;
export type MoveLeaderRequest = pb.MoveLeaderRequest;
export type MoveLeaderResponse = pb.MoveLeaderResponse;
export type AlarmRequest = pb.AlarmRequest;
export type AlarmMember = pb.AlarmMember;
export type AlarmResponse = pb.AlarmResponse;
export type DowngradeRequest = pb.DowngradeRequest;
export type DowngradeResponse = pb.DowngradeResponse;
export type DowngradeVersionTestRequest = pb.DowngradeVersionTestRequest;
export type StatusRequest = pb.StatusRequest;
export type StatusResponse = pb.StatusResponse;
export type DowngradeInfo = pb.DowngradeInfo;
export type AuthEnableRequest = pb.AuthEnableRequest;
export type AuthDisableRequest = pb.AuthDisableRequest;
export type AuthStatusRequest = pb.AuthStatusRequest;
export type AuthenticateRequest = pb.AuthenticateRequest;
export type AuthUserAddRequest = pb.AuthUserAddRequest;
export type AuthUserGetRequest = pb.AuthUserGetRequest;
export type AuthUserDeleteRequest = pb.AuthUserDeleteRequest;
export type AuthUserChangePasswordRequest = pb.AuthUserChangePasswordRequest;
export type AuthUserGrantRoleRequest = pb.AuthUserGrantRoleRequest;
export type AuthUserRevokeRoleRequest = pb.AuthUserRevokeRoleRequest;
export type AuthRoleAddRequest = pb.AuthRoleAddRequest;
export type AuthRoleGetRequest = pb.AuthRoleGetRequest;
export type AuthUserListRequest = pb.AuthUserListRequest;
export type AuthRoleListRequest = pb.AuthRoleListRequest;
export type AuthRoleDeleteRequest = pb.AuthRoleDeleteRequest;
export type AuthRoleGrantPermissionRequest = pb.AuthRoleGrantPermissionRequest;
export type AuthRoleRevokePermissionRequest = pb.AuthRoleRevokePermissionRequest;
export type AuthEnableResponse = pb.AuthEnableResponse;
export type AuthDisableResponse = pb.AuthDisableResponse;
export type AuthStatusResponse = pb.AuthStatusResponse;
export type AuthenticateResponse = pb.AuthenticateResponse;
export type AuthUserAddResponse = pb.AuthUserAddResponse;
export type AuthUserGetResponse = pb.AuthUserGetResponse;
export type AuthUserDeleteResponse = pb.AuthUserDeleteResponse;
export type AuthUserChangePasswordResponse = pb.AuthUserChangePasswordResponse;
export type AuthUserGrantRoleResponse = pb.AuthUserGrantRoleResponse;
export type AuthUserRevokeRoleResponse = pb.AuthUserRevokeRoleResponse;
export type AuthRoleAddResponse = pb.AuthRoleAddResponse;
export type AuthRoleGetResponse = pb.AuthRoleGetResponse;
export type AuthRoleListResponse = pb.AuthRoleListResponse;
export type AuthUserListResponse = pb.AuthUserListResponse;
export type AuthRoleDeleteResponse = pb.AuthRoleDeleteResponse;
export type AuthRoleGrantPermissionResponse = pb.AuthRoleGrantPermissionResponse;
export type AuthRoleRevokePermissionResponse = pb.AuthRoleRevokePermissionResponse;
export type RangeStreamResponse = pb.RangeStreamResponse;

export const AlarmType: typeof pb.AlarmType = { NONE: 0, NOSPACE: 1, CORRUPT: 2 };
export type AlarmType = pb.AlarmType;
export const AlarmTypeSchema: EnumTable = { kind: "enum", numbers: { NONE: 0, NOSPACE: 1, CORRUPT: 2 } };

export const RangeRequest_SortOrder: typeof pb.RangeRequest_SortOrder = { NONE: 0, ASCEND: 1, DESCEND: 2 };
export type RangeRequest_SortOrder = pb.RangeRequest_SortOrder;
export const RangeRequest_SortOrderSchema: EnumTable = { kind: "enum", numbers: { NONE: 0, ASCEND: 1, DESCEND: 2 } };

export const RangeRequest_SortTarget: typeof pb.RangeRequest_SortTarget = { KEY: 0, VERSION: 1, CREATE: 2, MOD: 3, VALUE: 4 };
export type RangeRequest_SortTarget = pb.RangeRequest_SortTarget;
export const RangeRequest_SortTargetSchema: EnumTable = { kind: "enum", numbers: { KEY: 0, VERSION: 1, CREATE: 2, MOD: 3, VALUE: 4 } };

export const Compare_CompareResult: typeof pb.Compare_CompareResult = { EQUAL: 0, GREATER: 1, LESS: 2, NOT_EQUAL: 3 };
export type Compare_CompareResult = pb.Compare_CompareResult;
export const Compare_CompareResultSchema: EnumTable = { kind: "enum", numbers: { EQUAL: 0, GREATER: 1, LESS: 2, NOT_EQUAL: 3 } };

export const Compare_CompareTarget: typeof pb.Compare_CompareTarget = { VERSION: 0, CREATE: 1, MOD: 2, VALUE: 3, LEASE: 4 };
export type Compare_CompareTarget = pb.Compare_CompareTarget;
export const Compare_CompareTargetSchema: EnumTable = { kind: "enum", numbers: { VERSION: 0, CREATE: 1, MOD: 2, VALUE: 3, LEASE: 4 } };

export const WatchCreateRequest_FilterType: typeof pb.WatchCreateRequest_FilterType = { NOPUT: 0, NODELETE: 1 };
export type WatchCreateRequest_FilterType = pb.WatchCreateRequest_FilterType;
export const WatchCreateRequest_FilterTypeSchema: EnumTable = { kind: "enum", numbers: { NOPUT: 0, NODELETE: 1 } };

export const AlarmRequest_AlarmAction: typeof pb.AlarmRequest_AlarmAction = { GET: 0, ACTIVATE: 1, DEACTIVATE: 2 };
export type AlarmRequest_AlarmAction = pb.AlarmRequest_AlarmAction;
export const AlarmRequest_AlarmActionSchema: EnumTable = { kind: "enum", numbers: { GET: 0, ACTIVATE: 1, DEACTIVATE: 2 } };

export const DowngradeRequest_DowngradeAction: typeof pb.DowngradeRequest_DowngradeAction = { VALIDATE: 0, ENABLE: 1, CANCEL: 2 };
export type DowngradeRequest_DowngradeAction = pb.DowngradeRequest_DowngradeAction;
export const DowngradeRequest_DowngradeActionSchema: EnumTable = { kind: "enum", numbers: { VALIDATE: 0, ENABLE: 1, CANCEL: 2 } };

export const ResponseHeaderSchema: MessageTable<typeof pb.ResponseHeaderSchema> = {
  kind: "message",
  typeName: "etcdserverpb.ResponseHeader",
  rows: () => [
    [1, "cluster_id", "uint64"],
    [2, "member_id", "uint64"],
    [3, "revision", "int64"],
    [4, "raft_term", "uint64"],
  ],
};

export const RangeRequestSchema: MessageTable<typeof pb.RangeRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.RangeRequest",
  rows: () => [
    [1, "key", "bytes"],
    [2, "range_end", "bytes"],
    [3, "limit", "int64"],
    [4, "revision", "int64"],
    [5, "sort_order", RangeRequest_SortOrderSchema],
    [6, "sort_target", RangeRequest_SortTargetSchema],
    [7, "serializable", "bool"],
    [8, "keys_only", "bool"],
    [9, "count_only", "bool"],
    [10, "min_mod_revision", "int64"],
    [11, "max_mod_revision", "int64"],
    [12, "min_create_revision", "int64"],
    [13, "max_create_revision", "int64"],
  ],
};

export const RangeResponseSchema: MessageTable<typeof pb.RangeResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.RangeResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "kvs", KeyValueSchema, "repeated"],
    [3, "more", "bool"],
    [4, "count", "int64"],
  ],
};

export const PutRequestSchema: MessageTable<typeof pb.PutRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.PutRequest",
  rows: () => [
    [1, "key", "bytes"],
    [2, "value", "bytes"],
    [3, "lease", "int64"],
    [4, "prev_kv", "bool"],
    [5, "ignore_value", "bool"],
    [6, "ignore_lease", "bool"],
  ],
};

export const PutResponseSchema: MessageTable<typeof pb.PutResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.PutResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "prev_kv", KeyValueSchema],
  ],
};

export const DeleteRangeRequestSchema: MessageTable<typeof pb.DeleteRangeRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.DeleteRangeRequest",
  rows: () => [
    [1, "key", "bytes"],
    [2, "range_end", "bytes"],
    [3, "prev_kv", "bool"],
  ],
};

export const DeleteRangeResponseSchema: MessageTable<typeof pb.DeleteRangeResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.DeleteRangeResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "deleted", "int64"],
    [3, "prev_kvs", KeyValueSchema, "repeated"],
  ],
};

export const RequestOpSchema: MessageTable<typeof pb.RequestOpSchema> = {
  kind: "message",
  typeName: "etcdserverpb.RequestOp",
  rows: () => [
    [1, "request_range", RangeRequestSchema, "request"],
    [2, "request_put", PutRequestSchema, "request"],
    [3, "request_delete_range", DeleteRangeRequestSchema, "request"],
    [4, "request_txn", TxnRequestSchema, "request"],
  ],
};

export const ResponseOpSchema: MessageTable<typeof pb.ResponseOpSchema> = {
  kind: "message",
  typeName: "etcdserverpb.ResponseOp",
  rows: () => [
    [1, "response_range", RangeResponseSchema, "response"],
    [2, "response_put", PutResponseSchema, "response"],
    [3, "response_delete_range", DeleteRangeResponseSchema, "response"],
    [4, "response_txn", TxnResponseSchema, "response"],
  ],
};

export const CompareSchema: MessageTable<typeof pb.CompareSchema> = {
  kind: "message",
  typeName: "etcdserverpb.Compare",
  rows: () => [
    [1, "result", Compare_CompareResultSchema],
    [2, "target", Compare_CompareTargetSchema],
    [3, "key", "bytes"],
    [4, "version", "int64", "target_union"],
    [5, "create_revision", "int64", "target_union"],
    [6, "mod_revision", "int64", "target_union"],
    [7, "value", "bytes", "target_union"],
    [8, "lease", "int64", "target_union"],
    [64, "range_end", "bytes"],
  ],
};

export const TxnRequestSchema: MessageTable<typeof pb.TxnRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.TxnRequest",
  rows: () => [
    [1, "compare", CompareSchema, "repeated"],
    [2, "success", RequestOpSchema, "repeated"],
    [3, "failure", RequestOpSchema, "repeated"],
  ],
};

export const TxnResponseSchema: MessageTable<typeof pb.TxnResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.TxnResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "succeeded", "bool"],
    [3, "responses", ResponseOpSchema, "repeated"],
  ],
};

export const CompactionRequestSchema: MessageTable<typeof pb.CompactionRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.CompactionRequest",
  rows: () => [
    [1, "revision", "int64"],
    [2, "physical", "bool"],
  ],
};

export const CompactionResponseSchema: MessageTable<typeof pb.CompactionResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.CompactionResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const HashRequestSchema: MessageTable<typeof pb.HashRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.HashRequest",
  rows: () => [],
};

export const HashKVRequestSchema: MessageTable<typeof pb.HashKVRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.HashKVRequest",
  rows: () => [
    [1, "revision", "int64"],
  ],
};

export const HashKVResponseSchema: MessageTable<typeof pb.HashKVResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.HashKVResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "hash", "uint32"],
    [3, "compact_revision", "int64"],
    [4, "hash_revision", "int64"],
  ],
};

export const HashResponseSchema: MessageTable<typeof pb.HashResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.HashResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "hash", "uint32"],
  ],
};

export const SnapshotRequestSchema: MessageTable<typeof pb.SnapshotRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.SnapshotRequest",
  rows: () => [],
};

export const SnapshotResponseSchema: MessageTable<typeof pb.SnapshotResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.SnapshotResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "remaining_bytes", "uint64"],
    [3, "blob", "bytes"],
    [4, "version", "string"],
  ],
};

export const WatchRequestSchema: MessageTable<typeof pb.WatchRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.WatchRequest",
  rows: () => [
    [1, "create_request", WatchCreateRequestSchema, "request_union"],
    [2, "cancel_request", WatchCancelRequestSchema, "request_union"],
    [3, "progress_request", WatchProgressRequestSchema, "request_union"],
  ],
};

export const WatchCreateRequestSchema: MessageTable<typeof pb.WatchCreateRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.WatchCreateRequest",
  rows: () => [
    [1, "key", "bytes"],
    [2, "range_end", "bytes"],
    [3, "start_revision", "int64"],
    [4, "progress_notify", "bool"],
    [5, "filters", WatchCreateRequest_FilterTypeSchema, "repeated"],
    [6, "prev_kv", "bool"],
    [7, "watch_id", "int64"],
    [8, "fragment", "bool"],
  ],
};

export const WatchCancelRequestSchema: MessageTable<typeof pb.WatchCancelRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.WatchCancelRequest",
  rows: () => [
    [1, "watch_id", "int64"],
  ],
};

export const WatchProgressRequestSchema: MessageTable<typeof pb.WatchProgressRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.WatchProgressRequest",
  rows: () => [],
};

export const WatchResponseSchema: MessageTable<typeof pb.WatchResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.WatchResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "watch_id", "int64"],
    [3, "created", "bool"],
    [4, "canceled", "bool"],
    [5, "compact_revision", "int64"],
    [6, "cancel_reason", "string"],
    [7, "fragment", "bool"],
    [11, "events", EventSchema, "repeated"],
  ],
};

export const LeaseGrantRequestSchema: MessageTable<typeof pb.LeaseGrantRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseGrantRequest",
  rows: () => [
    [1, "TTL", "int64"],
    [2, "ID", "int64"],
  ],
};

export const LeaseGrantResponseSchema: MessageTable<typeof pb.LeaseGrantResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseGrantResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "ID", "int64"],
    [3, "TTL", "int64"],
    [4, "error", "string"],
  ],
};

export const LeaseRevokeRequestSchema: MessageTable<typeof pb.LeaseRevokeRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseRevokeRequest",
  rows: () => [
    [1, "ID", "int64"],
  ],
};

export const LeaseRevokeResponseSchema: MessageTable<typeof pb.LeaseRevokeResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseRevokeResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const LeaseCheckpointSchema: MessageTable<typeof pb.LeaseCheckpointSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseCheckpoint",
  rows: () => [
    [1, "ID", "int64"],
    [2, "remaining_TTL", "int64"],
  ],
};

export const LeaseCheckpointRequestSchema: MessageTable<typeof pb.LeaseCheckpointRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseCheckpointRequest",
  rows: () => [
    [1, "checkpoints", LeaseCheckpointSchema, "repeated"],
  ],
};

export const LeaseCheckpointResponseSchema: MessageTable<typeof pb.LeaseCheckpointResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseCheckpointResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const LeaseKeepAliveRequestSchema: MessageTable<typeof pb.LeaseKeepAliveRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseKeepAliveRequest",
  rows: () => [
    [1, "ID", "int64"],
  ],
};

export const LeaseKeepAliveResponseSchema: MessageTable<typeof pb.LeaseKeepAliveResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseKeepAliveResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "ID", "int64"],
    [3, "TTL", "int64"],
  ],
};

export const LeaseTimeToLiveRequestSchema: MessageTable<typeof pb.LeaseTimeToLiveRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseTimeToLiveRequest",
  rows: () => [
    [1, "ID", "int64"],
    [2, "keys", "bool"],
  ],
};

export const LeaseTimeToLiveResponseSchema: MessageTable<typeof pb.LeaseTimeToLiveResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseTimeToLiveResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "ID", "int64"],
    [3, "TTL", "int64"],
    [4, "grantedTTL", "int64"],
    [5, "keys", "bytes", "repeated"],
  ],
};

export const LeaseLeasesRequestSchema: MessageTable<typeof pb.LeaseLeasesRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseLeasesRequest",
  rows: () => [],
};

export const LeaseStatusSchema: MessageTable<typeof pb.LeaseStatusSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseStatus",
  rows: () => [
    [1, "ID", "int64"],
  ],
};

export const LeaseLeasesResponseSchema: MessageTable<typeof pb.LeaseLeasesResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.LeaseLeasesResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "leases", LeaseStatusSchema, "repeated"],
  ],
};

export const MemberSchema: MessageTable<typeof pb.MemberSchema> = {
  kind: "message",
  typeName: "etcdserverpb.Member",
  rows: () => [
    [1, "ID", "uint64"],
    [2, "name", "string"],
    [3, "peerURLs", "string", "repeated"],
    [4, "clientURLs", "string", "repeated"],
    [5, "isLearner", "bool"],
  ],
};

export const MemberAddRequestSchema: MessageTable<typeof pb.MemberAddRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.MemberAddRequest",
  rows: () => [
    [1, "peerURLs", "string", "repeated"],
    [2, "isLearner", "bool"],
  ],
};

export const MemberAddResponseSchema: MessageTable<typeof pb.MemberAddResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.MemberAddResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "member", MemberSchema],
    [3, "members", MemberSchema, "repeated"],
  ],
};

export const MemberRemoveRequestSchema: MessageTable<typeof pb.MemberRemoveRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.MemberRemoveRequest",
  rows: () => [
    [1, "ID", "uint64"],
  ],
};

export const MemberRemoveResponseSchema: MessageTable<typeof pb.MemberRemoveResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.MemberRemoveResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "members", MemberSchema, "repeated"],
  ],
};

export const MemberUpdateRequestSchema: MessageTable<typeof pb.MemberUpdateRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.MemberUpdateRequest",
  rows: () => [
    [1, "ID", "uint64"],
    [2, "peerURLs", "string", "repeated"],
  ],
};

export const MemberUpdateResponseSchema: MessageTable<typeof pb.MemberUpdateResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.MemberUpdateResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "members", MemberSchema, "repeated"],
  ],
};

export const MemberListRequestSchema: MessageTable<typeof pb.MemberListRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.MemberListRequest",
  rows: () => [
    [1, "linearizable", "bool"],
  ],
};

export const MemberListResponseSchema: MessageTable<typeof pb.MemberListResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.MemberListResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "members", MemberSchema, "repeated"],
  ],
};

export const MemberPromoteRequestSchema: MessageTable<typeof pb.MemberPromoteRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.MemberPromoteRequest",
  rows: () => [
    [1, "ID", "uint64"],
  ],
};

export const MemberPromoteResponseSchema: MessageTable<typeof pb.MemberPromoteResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.MemberPromoteResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "members", MemberSchema, "repeated"],
  ],
};

export const DefragmentRequestSchema: MessageTable<typeof pb.DefragmentRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.DefragmentRequest",
  rows: () => [],
};

export const DefragmentResponseSchema: MessageTable<typeof pb.DefragmentResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.DefragmentResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const MoveLeaderRequestSchema: MessageTable<typeof pb.MoveLeaderRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.MoveLeaderRequest",
  rows: () => [
    [1, "targetID", "uint64"],
  ],
};

export const MoveLeaderResponseSchema: MessageTable<typeof pb.MoveLeaderResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.MoveLeaderResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const AlarmRequestSchema: MessageTable<typeof pb.AlarmRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AlarmRequest",
  rows: () => [
    [1, "action", AlarmRequest_AlarmActionSchema],
    [2, "memberID", "uint64"],
    [3, "alarm", AlarmTypeSchema],
  ],
};

export const AlarmMemberSchema: MessageTable<typeof pb.AlarmMemberSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AlarmMember",
  rows: () => [
    [1, "memberID", "uint64"],
    [2, "alarm", AlarmTypeSchema],
  ],
};

export const AlarmResponseSchema: MessageTable<typeof pb.AlarmResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AlarmResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "alarms", AlarmMemberSchema, "repeated"],
  ],
};

export const DowngradeRequestSchema: MessageTable<typeof pb.DowngradeRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.DowngradeRequest",
  rows: () => [
    [1, "action", DowngradeRequest_DowngradeActionSchema],
    [2, "version", "string"],
  ],
};

export const DowngradeResponseSchema: MessageTable<typeof pb.DowngradeResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.DowngradeResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "version", "string"],
  ],
};

export const DowngradeVersionTestRequestSchema: MessageTable<typeof pb.DowngradeVersionTestRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.DowngradeVersionTestRequest",
  rows: () => [
    [1, "ver", "string"],
  ],
};

export const StatusRequestSchema: MessageTable<typeof pb.StatusRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.StatusRequest",
  rows: () => [],
};

export const StatusResponseSchema: MessageTable<typeof pb.StatusResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.StatusResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "version", "string"],
    [3, "dbSize", "int64"],
    [4, "leader", "uint64"],
    [5, "raftIndex", "uint64"],
    [6, "raftTerm", "uint64"],
    [7, "raftAppliedIndex", "uint64"],
    [8, "errors", "string", "repeated"],
    [9, "dbSizeInUse", "int64"],
    [10, "isLearner", "bool"],
    [11, "storageVersion", "string"],
    [12, "dbSizeQuota", "int64"],
    [13, "downgradeInfo", DowngradeInfoSchema],
  ],
};

export const DowngradeInfoSchema: MessageTable<typeof pb.DowngradeInfoSchema> = {
  kind: "message",
  typeName: "etcdserverpb.DowngradeInfo",
  rows: () => [
    [1, "enabled", "bool"],
    [2, "targetVersion", "string"],
  ],
};

export const AuthEnableRequestSchema: MessageTable<typeof pb.AuthEnableRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthEnableRequest",
  rows: () => [],
};

export const AuthDisableRequestSchema: MessageTable<typeof pb.AuthDisableRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthDisableRequest",
  rows: () => [],
};

export const AuthStatusRequestSchema: MessageTable<typeof pb.AuthStatusRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthStatusRequest",
  rows: () => [],
};

export const AuthenticateRequestSchema: MessageTable<typeof pb.AuthenticateRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthenticateRequest",
  rows: () => [
    [1, "name", "string"],
    [2, "password", "string"],
  ],
};

export const AuthUserAddRequestSchema: MessageTable<typeof pb.AuthUserAddRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserAddRequest",
  rows: () => [
    [1, "name", "string"],
    [2, "password", "string"],
    [3, "options", UserAddOptionsSchema],
    [4, "hashedPassword", "string"],
  ],
};

export const AuthUserGetRequestSchema: MessageTable<typeof pb.AuthUserGetRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserGetRequest",
  rows: () => [
    [1, "name", "string"],
  ],
};

export const AuthUserDeleteRequestSchema: MessageTable<typeof pb.AuthUserDeleteRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserDeleteRequest",
  rows: () => [
    [1, "name", "string"],
  ],
};

export const AuthUserChangePasswordRequestSchema: MessageTable<typeof pb.AuthUserChangePasswordRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserChangePasswordRequest",
  rows: () => [
    [1, "name", "string"],
    [2, "password", "string"],
    [3, "hashedPassword", "string"],
  ],
};

export const AuthUserGrantRoleRequestSchema: MessageTable<typeof pb.AuthUserGrantRoleRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserGrantRoleRequest",
  rows: () => [
    [1, "user", "string"],
    [2, "role", "string"],
  ],
};

export const AuthUserRevokeRoleRequestSchema: MessageTable<typeof pb.AuthUserRevokeRoleRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserRevokeRoleRequest",
  rows: () => [
    [1, "name", "string"],
    [2, "role", "string"],
  ],
};

export const AuthRoleAddRequestSchema: MessageTable<typeof pb.AuthRoleAddRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthRoleAddRequest",
  rows: () => [
    [1, "name", "string"],
  ],
};

export const AuthRoleGetRequestSchema: MessageTable<typeof pb.AuthRoleGetRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthRoleGetRequest",
  rows: () => [
    [1, "role", "string"],
  ],
};

export const AuthUserListRequestSchema: MessageTable<typeof pb.AuthUserListRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserListRequest",
  rows: () => [],
};

export const AuthRoleListRequestSchema: MessageTable<typeof pb.AuthRoleListRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthRoleListRequest",
  rows: () => [],
};

export const AuthRoleDeleteRequestSchema: MessageTable<typeof pb.AuthRoleDeleteRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthRoleDeleteRequest",
  rows: () => [
    [1, "role", "string"],
  ],
};

export const AuthRoleGrantPermissionRequestSchema: MessageTable<typeof pb.AuthRoleGrantPermissionRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthRoleGrantPermissionRequest",
  rows: () => [
    [1, "name", "string"],
    [2, "perm", PermissionSchema],
  ],
};

export const AuthRoleRevokePermissionRequestSchema: MessageTable<typeof pb.AuthRoleRevokePermissionRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthRoleRevokePermissionRequest",
  rows: () => [
    [1, "role", "string"],
    [2, "key", "bytes"],
    [3, "range_end", "bytes"],
  ],
};

export const AuthEnableResponseSchema: MessageTable<typeof pb.AuthEnableResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthEnableResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const AuthDisableResponseSchema: MessageTable<typeof pb.AuthDisableResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthDisableResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const AuthStatusResponseSchema: MessageTable<typeof pb.AuthStatusResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthStatusResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "enabled", "bool"],
    [3, "authRevision", "uint64"],
  ],
};

export const AuthenticateResponseSchema: MessageTable<typeof pb.AuthenticateResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthenticateResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "token", "string"],
  ],
};

export const AuthUserAddResponseSchema: MessageTable<typeof pb.AuthUserAddResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserAddResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const AuthUserGetResponseSchema: MessageTable<typeof pb.AuthUserGetResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserGetResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "roles", "string", "repeated"],
  ],
};

export const AuthUserDeleteResponseSchema: MessageTable<typeof pb.AuthUserDeleteResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserDeleteResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const AuthUserChangePasswordResponseSchema: MessageTable<typeof pb.AuthUserChangePasswordResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserChangePasswordResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const AuthUserGrantRoleResponseSchema: MessageTable<typeof pb.AuthUserGrantRoleResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserGrantRoleResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const AuthUserRevokeRoleResponseSchema: MessageTable<typeof pb.AuthUserRevokeRoleResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserRevokeRoleResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const AuthRoleAddResponseSchema: MessageTable<typeof pb.AuthRoleAddResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthRoleAddResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const AuthRoleGetResponseSchema: MessageTable<typeof pb.AuthRoleGetResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthRoleGetResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "perm", PermissionSchema, "repeated"],
  ],
};

export const AuthRoleListResponseSchema: MessageTable<typeof pb.AuthRoleListResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthRoleListResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "roles", "string", "repeated"],
  ],
};

export const AuthUserListResponseSchema: MessageTable<typeof pb.AuthUserListResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthUserListResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
    [2, "users", "string", "repeated"],
  ],
};

export const AuthRoleDeleteResponseSchema: MessageTable<typeof pb.AuthRoleDeleteResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthRoleDeleteResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const AuthRoleGrantPermissionResponseSchema: MessageTable<typeof pb.AuthRoleGrantPermissionResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthRoleGrantPermissionResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const AuthRoleRevokePermissionResponseSchema: MessageTable<typeof pb.AuthRoleRevokePermissionResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.AuthRoleRevokePermissionResponse",
  rows: () => [
    [1, "header", ResponseHeaderSchema],
  ],
};

export const RangeStreamResponseSchema: MessageTable<typeof pb.RangeStreamResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.RangeStreamResponse",
  rows: () => [
    [1, "range_response", RangeResponseSchema],
  ],
};

export const KV: ServiceTable = {
  typeName: "etcdserverpb.KV",
  rows: () => [
    ["Range", RangeRequestSchema, RangeResponseSchema, "unary"],
    ["RangeStream", RangeRequestSchema, RangeStreamResponseSchema, "server_streaming"],
    ["Put", PutRequestSchema, PutResponseSchema, "unary"],
    ["DeleteRange", DeleteRangeRequestSchema, DeleteRangeResponseSchema, "unary"],
    ["Txn", TxnRequestSchema, TxnResponseSchema, "unary"],
    ["Compact", CompactionRequestSchema, CompactionResponseSchema, "unary"],
  ],
};

export const Watch: ServiceTable = {
  typeName: "etcdserverpb.Watch",
  rows: () => [
    ["Watch", WatchRequestSchema, WatchResponseSchema, "bidi_streaming"],
  ],
};

export const Lease: ServiceTable = {
  typeName: "etcdserverpb.Lease",
  rows: () => [
    ["LeaseGrant", LeaseGrantRequestSchema, LeaseGrantResponseSchema, "unary"],
    ["LeaseRevoke", LeaseRevokeRequestSchema, LeaseRevokeResponseSchema, "unary"],
    ["LeaseKeepAlive", LeaseKeepAliveRequestSchema, LeaseKeepAliveResponseSchema, "bidi_streaming"],
    ["LeaseTimeToLive", LeaseTimeToLiveRequestSchema, LeaseTimeToLiveResponseSchema, "unary"],
    ["LeaseLeases", LeaseLeasesRequestSchema, LeaseLeasesResponseSchema, "unary"],
  ],
};

export const Cluster: ServiceTable = {
  typeName: "etcdserverpb.Cluster",
  rows: () => [
    ["MemberAdd", MemberAddRequestSchema, MemberAddResponseSchema, "unary"],
    ["MemberRemove", MemberRemoveRequestSchema, MemberRemoveResponseSchema, "unary"],
    ["MemberUpdate", MemberUpdateRequestSchema, MemberUpdateResponseSchema, "unary"],
    ["MemberList", MemberListRequestSchema, MemberListResponseSchema, "unary"],
    ["MemberPromote", MemberPromoteRequestSchema, MemberPromoteResponseSchema, "unary"],
  ],
};

export const Maintenance: ServiceTable = {
  typeName: "etcdserverpb.Maintenance",
  rows: () => [
    ["Alarm", AlarmRequestSchema, AlarmResponseSchema, "unary"],
    ["Status", StatusRequestSchema, StatusResponseSchema, "unary"],
    ["Defragment", DefragmentRequestSchema, DefragmentResponseSchema, "unary"],
    ["Hash", HashRequestSchema, HashResponseSchema, "unary"],
    ["HashKV", HashKVRequestSchema, HashKVResponseSchema, "unary"],
    ["Snapshot", SnapshotRequestSchema, SnapshotResponseSchema, "server_streaming"],
    ["MoveLeader", MoveLeaderRequestSchema, MoveLeaderResponseSchema, "unary"],
    ["Downgrade", DowngradeRequestSchema, DowngradeResponseSchema, "unary"],
  ],
};

export const Auth: ServiceTable = {
  typeName: "etcdserverpb.Auth",
  rows: () => [
    ["AuthEnable", AuthEnableRequestSchema, AuthEnableResponseSchema, "unary"],
    ["AuthDisable", AuthDisableRequestSchema, AuthDisableResponseSchema, "unary"],
    ["AuthStatus", AuthStatusRequestSchema, AuthStatusResponseSchema, "unary"],
    ["Authenticate", AuthenticateRequestSchema, AuthenticateResponseSchema, "unary"],
    ["UserAdd", AuthUserAddRequestSchema, AuthUserAddResponseSchema, "unary"],
    ["UserGet", AuthUserGetRequestSchema, AuthUserGetResponseSchema, "unary"],
    ["UserList", AuthUserListRequestSchema, AuthUserListResponseSchema, "unary"],
    ["UserDelete", AuthUserDeleteRequestSchema, AuthUserDeleteResponseSchema, "unary"],
    ["UserChangePassword", AuthUserChangePasswordRequestSchema, AuthUserChangePasswordResponseSchema, "unary"],
    ["UserGrantRole", AuthUserGrantRoleRequestSchema, AuthUserGrantRoleResponseSchema, "unary"],
    ["UserRevokeRole", AuthUserRevokeRoleRequestSchema, AuthUserRevokeRoleResponseSchema, "unary"],
    ["RoleAdd", AuthRoleAddRequestSchema, AuthRoleAddResponseSchema, "unary"],
    ["RoleGet", AuthRoleGetRequestSchema, AuthRoleGetResponseSchema, "unary"],
    ["RoleList", AuthRoleListRequestSchema, AuthRoleListResponseSchema, "unary"],
    ["RoleDelete", AuthRoleDeleteRequestSchema, AuthRoleDeleteResponseSchema, "unary"],
    ["RoleGrantPermission", AuthRoleGrantPermissionRequestSchema, AuthRoleGrantPermissionResponseSchema, "unary"],
    ["RoleRevokePermission", AuthRoleRevokePermissionRequestSchema, AuthRoleRevokePermissionResponseSchema, "unary"],
  ],
};

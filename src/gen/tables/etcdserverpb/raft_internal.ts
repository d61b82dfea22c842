// Written by .ci/make/message-tables.ts from etcdserverpb/raft_internal.proto: `npm run gen`.

import type { MessageTable } from "../../../codec/message-table.ts";
import type * as pb from "../../etcdserverpb/raft_internal_pb.ts";
import { AlarmRequestSchema, AuthDisableRequestSchema, AuthEnableRequestSchema, AuthRoleAddRequestSchema, AuthRoleDeleteRequestSchema, AuthRoleGetRequestSchema, AuthRoleGrantPermissionRequestSchema, AuthRoleListRequestSchema, AuthRoleRevokePermissionRequestSchema, AuthStatusRequestSchema, AuthUserAddRequestSchema, AuthUserChangePasswordRequestSchema, AuthUserDeleteRequestSchema, AuthUserGetRequestSchema, AuthUserGrantRoleRequestSchema, AuthUserListRequestSchema, AuthUserRevokeRoleRequestSchema, CompactionRequestSchema, DeleteRangeRequestSchema, DowngradeVersionTestRequestSchema, LeaseCheckpointRequestSchema, LeaseGrantRequestSchema, LeaseRevokeRequestSchema, PutRequestSchema, RangeRequestSchema, TxnRequestSchema } from "../etcdserverpb/rpc.ts";
import { ClusterMemberAttrSetRequestSchema, ClusterVersionSetRequestSchema, DowngradeInfoSetRequestSchema } from "../membershippb/membership.ts";

export type RequestHeader = pb.RequestHeader;
export type InternalRaftRequest = pb.InternalRaftRequest;
export type EmptyResponse = pb.EmptyResponse;
export type InternalAuthenticateRequest = pb.InternalAuthenticateRequest;

export const RequestHeaderSchema: MessageTable<typeof pb.RequestHeaderSchema> = {
  kind: "message",
  typeName: "etcdserverpb.RequestHeader",
  rows: () => [
    [1, "ID", "uint64"],
    [2, "username", "string"],
    [3, "auth_revision", "uint64"],
  ],
};

export const InternalRaftRequestSchema: MessageTable<typeof pb.InternalRaftRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.InternalRaftRequest",
  rows: () => [
    [1, "ID", "uint64"],
    [3, "range", RangeRequestSchema],
    [4, "put", PutRequestSchema],
    [5, "delete_range", DeleteRangeRequestSchema],
    [6, "txn", TxnRequestSchema],
    [7, "compaction", CompactionRequestSchema],
    [8, "lease_grant", LeaseGrantRequestSchema],
    [9, "lease_revoke", LeaseRevokeRequestSchema],
    [10, "alarm", AlarmRequestSchema],
    [11, "lease_checkpoint", LeaseCheckpointRequestSchema],
    [100, "header", RequestHeaderSchema],
    [1000, "auth_enable", AuthEnableRequestSchema],
    [1011, "auth_disable", AuthDisableRequestSchema],
    [1012, "authenticate", InternalAuthenticateRequestSchema],
    [1013, "auth_status", AuthStatusRequestSchema],
    [1100, "auth_user_add", AuthUserAddRequestSchema],
    [1101, "auth_user_delete", AuthUserDeleteRequestSchema],
    [1102, "auth_user_get", AuthUserGetRequestSchema],
    [1103, "auth_user_change_password", AuthUserChangePasswordRequestSchema],
    [1104, "auth_user_grant_role", AuthUserGrantRoleRequestSchema],
    [1105, "auth_user_revoke_role", AuthUserRevokeRoleRequestSchema],
    [1106, "auth_user_list", AuthUserListRequestSchema],
    [1107, "auth_role_list", AuthRoleListRequestSchema],
    [1200, "auth_role_add", AuthRoleAddRequestSchema],
    [1201, "auth_role_delete", AuthRoleDeleteRequestSchema],
    [1202, "auth_role_get", AuthRoleGetRequestSchema],
    [1203, "auth_role_grant_permission", AuthRoleGrantPermissionRequestSchema],
    [1204, "auth_role_revoke_permission", AuthRoleRevokePermissionRequestSchema],
    [1300, "cluster_version_set", ClusterVersionSetRequestSchema],
    [1301, "cluster_member_attr_set", ClusterMemberAttrSetRequestSchema],
    [1302, "downgrade_info_set", DowngradeInfoSetRequestSchema],
    [9900, "downgrade_version_test", DowngradeVersionTestRequestSchema],
  ],
};

export const EmptyResponseSchema: MessageTable<typeof pb.EmptyResponseSchema> = {
  kind: "message",
  typeName: "etcdserverpb.EmptyResponse",
  rows: () => [],
};

export const InternalAuthenticateRequestSchema: MessageTable<typeof pb.InternalAuthenticateRequestSchema> = {
  kind: "message",
  typeName: "etcdserverpb.InternalAuthenticateRequest",
  rows: () => [
    [1, "name", "string"],
    [2, "password", "string"],
    [3, "simple_token", "string"],
  ],
};

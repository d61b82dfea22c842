/** The requests in the log that have no codec of their own. */
import type { MessageTable } from "../../codec/message-table.ts";
import { fromBinary } from "../../codec/messages.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { InternalAuthenticateRequestSchema } from "../../gen/tables/etcdserverpb/raft_internal.ts";
import {
  AlarmRequestSchema,
  AuthDisableRequestSchema,
  AuthEnableRequestSchema,
  AuthRoleAddRequestSchema,
  AuthRoleDeleteRequestSchema,
  AuthRoleGetRequestSchema,
  AuthRoleGrantPermissionRequestSchema,
  AuthRoleListRequestSchema,
  AuthRoleRevokePermissionRequestSchema,
  AuthStatusRequestSchema,
  AuthUserAddRequestSchema,
  AuthUserChangePasswordRequestSchema,
  AuthUserDeleteRequestSchema,
  AuthUserGetRequestSchema,
  AuthUserGrantRoleRequestSchema,
  AuthUserListRequestSchema,
  AuthUserRevokeRoleRequestSchema,
} from "../../gen/tables/etcdserverpb/rpc.ts";
import {
  ClusterMemberAttrSetRequestSchema,
  ClusterVersionSetRequestSchema,
  DowngradeInfoSetRequestSchema,
} from "../../gen/tables/membershippb/membership.ts";

const schemas: Readonly<Record<number, MessageTable>> = {
  [raftField.alarm]: AlarmRequestSchema,
  [raftField.authEnable]: AuthEnableRequestSchema,
  [raftField.authDisable]: AuthDisableRequestSchema,
  [raftField.authenticate]: InternalAuthenticateRequestSchema,
  [raftField.authStatus]: AuthStatusRequestSchema,
  [raftField.authUserAdd]: AuthUserAddRequestSchema,
  [raftField.authUserDelete]: AuthUserDeleteRequestSchema,
  [raftField.authUserGet]: AuthUserGetRequestSchema,
  [raftField.authUserChangePassword]: AuthUserChangePasswordRequestSchema,
  [raftField.authUserGrantRole]: AuthUserGrantRoleRequestSchema,
  [raftField.authUserRevokeRole]: AuthUserRevokeRoleRequestSchema,
  [raftField.authUserList]: AuthUserListRequestSchema,
  [raftField.authRoleList]: AuthRoleListRequestSchema,
  [raftField.authRoleAdd]: AuthRoleAddRequestSchema,
  [raftField.authRoleDelete]: AuthRoleDeleteRequestSchema,
  [raftField.authRoleGet]: AuthRoleGetRequestSchema,
  [raftField.authRoleGrantPermission]: AuthRoleGrantPermissionRequestSchema,
  [raftField.authRoleRevokePermission]: AuthRoleRevokePermissionRequestSchema,
  [raftField.clusterVersionSet]: ClusterVersionSetRequestSchema,
  [raftField.clusterMemberAttrSet]: ClusterMemberAttrSetRequestSchema,
  [raftField.downgradeInfoSet]: DowngradeInfoSetRequestSchema,
};

/** Undefined for a field that this version does not know. */
export function readMessage(field: number, bytes: Uint8Array): unknown {
  const schema = schemas[field];
  return schema && fromBinary(schema, bytes);
}

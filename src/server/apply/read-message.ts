/** The requests in the log that generated code reads. */
import { type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { raftField } from "../../codec/raft-internal.ts";
import { InternalAuthenticateRequestSchema } from "../../gen/etcdserverpb/raft_internal_pb.ts";
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
} from "../../gen/etcdserverpb/rpc_pb.ts";
import {
  ClusterMemberAttrSetRequestSchema,
  ClusterVersionSetRequestSchema,
  DowngradeInfoSetRequestSchema,
} from "../../gen/membershippb/membership_pb.ts";

const schemas: Readonly<Record<number, DescMessage>> = {
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

/** Messages of the Auth service. Fields are named as in etcd's .proto files. */
import {
  bool,
  bytes,
  enumeration,
  inner,
  list,
  type MessageOf,
  message,
  string,
  uint64,
} from "../wire/message.ts";
import { responseHeader } from "./kv.ts";

export const userAddOptions = message({
  no_password: bool(1),
});
export type UserAddOptions = MessageOf<typeof userAddOptions>;

export const permission = message({
  permType: enumeration(1),
  key: bytes(2),
  range_end: bytes(3),
});
export type Permission = MessageOf<typeof permission>;

export const authEnableRequest = message({});
export type AuthEnableRequest = MessageOf<typeof authEnableRequest>;

export const authDisableRequest = message({});
export type AuthDisableRequest = MessageOf<typeof authDisableRequest>;

export const authStatusRequest = message({});
export type AuthStatusRequest = MessageOf<typeof authStatusRequest>;

export const authenticateRequest = message({
  name: string(1),
  password: string(2),
});
export type AuthenticateRequest = MessageOf<typeof authenticateRequest>;

export const authUserAddRequest = message({
  name: string(1),
  password: string(2),
  options: inner(3, userAddOptions),
  hashedPassword: string(4),
});
export type AuthUserAddRequest = MessageOf<typeof authUserAddRequest>;

export const authUserGetRequest = message({
  name: string(1),
});
export type AuthUserGetRequest = MessageOf<typeof authUserGetRequest>;

export const authUserDeleteRequest = message({
  name: string(1),
});
export type AuthUserDeleteRequest = MessageOf<typeof authUserDeleteRequest>;

export const authUserChangePasswordRequest = message({
  name: string(1),
  password: string(2),
  hashedPassword: string(3),
});
export type AuthUserChangePasswordRequest = MessageOf<typeof authUserChangePasswordRequest>;

export const authUserGrantRoleRequest = message({
  user: string(1),
  role: string(2),
});
export type AuthUserGrantRoleRequest = MessageOf<typeof authUserGrantRoleRequest>;

export const authUserRevokeRoleRequest = message({
  name: string(1),
  role: string(2),
});
export type AuthUserRevokeRoleRequest = MessageOf<typeof authUserRevokeRoleRequest>;

export const authRoleAddRequest = message({
  name: string(1),
});
export type AuthRoleAddRequest = MessageOf<typeof authRoleAddRequest>;

export const authRoleGetRequest = message({
  role: string(1),
});
export type AuthRoleGetRequest = MessageOf<typeof authRoleGetRequest>;

export const authUserListRequest = message({});
export type AuthUserListRequest = MessageOf<typeof authUserListRequest>;

export const authRoleListRequest = message({});
export type AuthRoleListRequest = MessageOf<typeof authRoleListRequest>;

export const authRoleDeleteRequest = message({
  role: string(1),
});
export type AuthRoleDeleteRequest = MessageOf<typeof authRoleDeleteRequest>;

export const authRoleGrantPermissionRequest = message({
  name: string(1),
  perm: inner(2, permission),
});
export type AuthRoleGrantPermissionRequest = MessageOf<typeof authRoleGrantPermissionRequest>;

export const authRoleRevokePermissionRequest = message({
  role: string(1),
  key: bytes(2),
  range_end: bytes(3),
});
export type AuthRoleRevokePermissionRequest = MessageOf<typeof authRoleRevokePermissionRequest>;

export const authEnableResponse = message({
  header: inner(1, responseHeader),
});
export type AuthEnableResponse = MessageOf<typeof authEnableResponse>;

export const authDisableResponse = message({
  header: inner(1, responseHeader),
});
export type AuthDisableResponse = MessageOf<typeof authDisableResponse>;

export const authStatusResponse = message({
  header: inner(1, responseHeader),
  enabled: bool(2),
  authRevision: uint64(3),
});
export type AuthStatusResponse = MessageOf<typeof authStatusResponse>;

export const authenticateResponse = message({
  header: inner(1, responseHeader),
  token: string(2),
});
export type AuthenticateResponse = MessageOf<typeof authenticateResponse>;

export const authUserAddResponse = message({
  header: inner(1, responseHeader),
});
export type AuthUserAddResponse = MessageOf<typeof authUserAddResponse>;

export const authUserGetResponse = message({
  header: inner(1, responseHeader),
  roles: list(string(2)),
});
export type AuthUserGetResponse = MessageOf<typeof authUserGetResponse>;

export const authUserDeleteResponse = message({
  header: inner(1, responseHeader),
});
export type AuthUserDeleteResponse = MessageOf<typeof authUserDeleteResponse>;

export const authUserChangePasswordResponse = message({
  header: inner(1, responseHeader),
});
export type AuthUserChangePasswordResponse = MessageOf<typeof authUserChangePasswordResponse>;

export const authUserGrantRoleResponse = message({
  header: inner(1, responseHeader),
});
export type AuthUserGrantRoleResponse = MessageOf<typeof authUserGrantRoleResponse>;

export const authUserRevokeRoleResponse = message({
  header: inner(1, responseHeader),
});
export type AuthUserRevokeRoleResponse = MessageOf<typeof authUserRevokeRoleResponse>;

export const authRoleAddResponse = message({
  header: inner(1, responseHeader),
});
export type AuthRoleAddResponse = MessageOf<typeof authRoleAddResponse>;

export const authRoleGetResponse = message({
  header: inner(1, responseHeader),
  perm: list(inner(2, permission)),
});
export type AuthRoleGetResponse = MessageOf<typeof authRoleGetResponse>;

export const authRoleListResponse = message({
  header: inner(1, responseHeader),
  roles: list(string(2)),
});
export type AuthRoleListResponse = MessageOf<typeof authRoleListResponse>;

export const authUserListResponse = message({
  header: inner(1, responseHeader),
  users: list(string(2)),
});
export type AuthUserListResponse = MessageOf<typeof authUserListResponse>;

export const authRoleDeleteResponse = message({
  header: inner(1, responseHeader),
});
export type AuthRoleDeleteResponse = MessageOf<typeof authRoleDeleteResponse>;

export const authRoleGrantPermissionResponse = message({
  header: inner(1, responseHeader),
});
export type AuthRoleGrantPermissionResponse = MessageOf<typeof authRoleGrantPermissionResponse>;

export const authRoleRevokePermissionResponse = message({
  header: inner(1, responseHeader),
});
export type AuthRoleRevokePermissionResponse = MessageOf<typeof authRoleRevokePermissionResponse>;

/** The methods of the Auth service. */
import * as messages from "../messages/auth.ts";
import { once, repeatable } from "./method.ts";

export const authEnable = once("Auth/AuthEnable", messages.authEnableRequest, messages.authEnableResponse);
export const authDisable = once(
  "Auth/AuthDisable",
  messages.authDisableRequest,
  messages.authDisableResponse,
);
export const authStatus = once("Auth/AuthStatus", messages.authStatusRequest, messages.authStatusResponse);
export const authenticate = once(
  "Auth/Authenticate",
  messages.authenticateRequest,
  messages.authenticateResponse,
);
export const userAdd = once("Auth/UserAdd", messages.authUserAddRequest, messages.authUserAddResponse);
export const userGet = repeatable("Auth/UserGet", messages.authUserGetRequest, messages.authUserGetResponse);
export const userList = repeatable(
  "Auth/UserList",
  messages.authUserListRequest,
  messages.authUserListResponse,
);
export const userDelete = once(
  "Auth/UserDelete",
  messages.authUserDeleteRequest,
  messages.authUserDeleteResponse,
);
export const userChangePassword = once(
  "Auth/UserChangePassword",
  messages.authUserChangePasswordRequest,
  messages.authUserChangePasswordResponse,
);
export const userGrantRole = once(
  "Auth/UserGrantRole",
  messages.authUserGrantRoleRequest,
  messages.authUserGrantRoleResponse,
);
export const userRevokeRole = once(
  "Auth/UserRevokeRole",
  messages.authUserRevokeRoleRequest,
  messages.authUserRevokeRoleResponse,
);
export const roleAdd = once("Auth/RoleAdd", messages.authRoleAddRequest, messages.authRoleAddResponse);
export const roleGet = repeatable("Auth/RoleGet", messages.authRoleGetRequest, messages.authRoleGetResponse);
export const roleList = repeatable(
  "Auth/RoleList",
  messages.authRoleListRequest,
  messages.authRoleListResponse,
);
export const roleDelete = once(
  "Auth/RoleDelete",
  messages.authRoleDeleteRequest,
  messages.authRoleDeleteResponse,
);
export const roleGrantPermission = once(
  "Auth/RoleGrantPermission",
  messages.authRoleGrantPermissionRequest,
  messages.authRoleGrantPermissionResponse,
);
export const roleRevokePermission = once(
  "Auth/RoleRevokePermission",
  messages.authRoleRevokePermissionRequest,
  messages.authRoleRevokePermissionResponse,
);

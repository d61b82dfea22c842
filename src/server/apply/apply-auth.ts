/** Everything of the auth service that goes through the log. */
import type { AuthState } from "../../auth/auth-state.ts";
import { addRole, deleteRole, grantPermission, permissionsOf, revokePermission } from "../../auth/roles.ts";
import { disableAuth, enableAuth } from "../../auth/switch.ts";
import { addUser, changePassword, deleteUser, grantRole, revokeRole, userOf } from "../../auth/users.ts";
import type { MetaChange } from "../../backend/backend.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { errors } from "../../errors/table.ts";
import type { InternalAuthenticateRequest } from "../../gen/etcdserverpb/raft_internal_pb.ts";
import type {
  AuthRoleAddRequest,
  AuthRoleDeleteRequest,
  AuthRoleGetRequest,
  AuthRoleGrantPermissionRequest,
  AuthRoleRevokePermissionRequest,
  AuthUserAddRequest,
  AuthUserChangePasswordRequest,
  AuthUserDeleteRequest,
  AuthUserGetRequest,
  AuthUserGrantRoleRequest,
  AuthUserRevokeRoleRequest,
} from "../../gen/etcdserverpb/rpc_pb.ts";
import type { RaftIndex, Term } from "../../lib/ids.ts";
import type { LogFields } from "../../lib/logger.ts";
import type { TokenGrant } from "../auth/token-provider.ts";
import type { ApplyContext, Outcome } from "./apply-context.ts";

export function isAuthField(field: number): boolean {
  return field >= raftField.authEnable && field <= raftField.authRoleRevokePermission;
}

export function applyAuth(
  context: ApplyContext,
  field: number,
  request: unknown,
  index: RaftIndex,
  term: Term,
): Outcome {
  const { auth, store } = context;
  const read = readerOf(field);
  if (read) {
    const result = read(auth.state, request);
    store.applyNothing(index, term);
    return { result };
  }
  if (field === raftField.authenticate) {
    const result = grantToken(context, request as InternalAuthenticateRequest, index);
    store.applyNothing(index, term);
    return { result };
  }
  const wasEnabled = auth.state.enabled;
  const changes = change(auth.state, field, request);
  store.applyMeta(changes, index, term);
  if (changes.length > 0) logChange(context, field, request);
  if (auth.state.enabled && !wasEnabled) auth.turnedOn();
  else if (!auth.state.enabled && wasEnabled) auth.tokens.disable();
  if (field === raftField.authUserDelete || field === raftField.authUserChangePassword) {
    auth.tokens.forgetUser((request as AuthUserDeleteRequest).name);
  }
  return { result: undefined };
}

/** What AuthStatus tells. */
export interface AuthStatus {
  readonly enabled: boolean;
  readonly revision: number;
}

function readerOf(field: number): ((state: AuthState, request: unknown) => unknown) | undefined {
  switch (field) {
    case raftField.authStatus:
      return ({ enabled, revision }): AuthStatus => ({ enabled, revision });
    case raftField.authUserGet:
      return (state, request) => userOf(state, (request as AuthUserGetRequest).name).roles;
    case raftField.authUserList:
      return (state) => state.userNames();
    case raftField.authRoleGet:
      return (state, request) => permissionsOf(state, (request as AuthRoleGetRequest).role);
    case raftField.authRoleList:
      return (state) => state.roleNames();
    default:
      return undefined;
  }
}

/** The password was checked before the entry was proposed. Every member gets to know the token. */
function grantToken(
  { auth }: ApplyContext,
  request: InternalAuthenticateRequest,
  index: RaftIndex,
): TokenGrant {
  const { state, tokens } = auth;
  if (!state.enabled) throw errors.authNotEnabled();
  const user = state.user(request.name);
  if (!user || user.options?.noPassword) throw errors.authFailed();
  const grant = { username: user.name, authRevision: state.revision, prefix: request.simpleToken, index };
  tokens.assign(grant);
  return grant;
}

function change(state: AuthState, field: number, request: unknown): MetaChange[] {
  switch (field) {
    case raftField.authEnable:
      return enableAuth(state);
    case raftField.authDisable:
      return disableAuth(state);
    case raftField.authUserAdd: {
      const { name, hashedPassword, options } = request as AuthUserAddRequest;
      return addUser(state, { name, hashedPassword, noPassword: options?.noPassword ?? false });
    }
    case raftField.authUserDelete:
      return deleteUser(state, (request as AuthUserDeleteRequest).name);
    case raftField.authUserChangePassword: {
      const { name, hashedPassword } = request as AuthUserChangePasswordRequest;
      return changePassword(state, name, hashedPassword);
    }
    case raftField.authUserGrantRole: {
      const { user, role } = request as AuthUserGrantRoleRequest;
      return grantRole(state, user, role);
    }
    case raftField.authUserRevokeRole: {
      const { name, role } = request as AuthUserRevokeRoleRequest;
      return revokeRole(state, name, role);
    }
    default:
      return changeRole(state, field, request);
  }
}

function changeRole(state: AuthState, field: number, request: unknown): MetaChange[] {
  switch (field) {
    case raftField.authRoleAdd:
      return addRole(state, (request as AuthRoleAddRequest).name);
    case raftField.authRoleDelete:
      return deleteRole(state, (request as AuthRoleDeleteRequest).role);
    case raftField.authRoleGrantPermission: {
      const { name, perm } = request as AuthRoleGrantPermissionRequest;
      return grantPermission(
        state,
        name,
        perm && { type: perm.permType, key: perm.key, rangeEnd: perm.rangeEnd },
      );
    }
    case raftField.authRoleRevokePermission: {
      const { role, key, rangeEnd } = request as AuthRoleRevokePermissionRequest;
      return revokePermission(state, role, { key, rangeEnd });
    }
    default:
      throw errors.notCapable();
  }
}

/** etcd's words for what an administrator did. */
const done: Readonly<Record<number, string>> = {
  [raftField.authEnable]: "enabled authentication",
  [raftField.authDisable]: "disabled authentication",
  [raftField.authUserAdd]: "added a user",
  [raftField.authUserDelete]: "deleted a user",
  [raftField.authUserChangePassword]: "changed a password of a user",
  [raftField.authUserGrantRole]: "granted a role to a user",
  [raftField.authUserRevokeRole]: "revoked a role from a user",
  [raftField.authRoleAdd]: "created a role",
  [raftField.authRoleDelete]: "deleted a role",
  [raftField.authRoleGrantPermission]: "granted/updated a permission to a user",
  [raftField.authRoleRevokePermission]: "revoked a permission on range",
};

/** Names only: never a password, and no hash of one. */
function logChange({ logger }: ApplyContext, field: number, request: unknown): void {
  const { name, user, role } = request as { name?: string; user?: string; role?: string };
  const ofUser = field >= raftField.authUserAdd && field <= raftField.authUserRevokeRole;
  const roleName = role ?? (ofUser ? undefined : name);
  const fields: LogFields = {
    ...(ofUser && { "user-name": user ?? name ?? "" }),
    ...(roleName !== undefined && { "role-name": roleName }),
  };
  logger.at("server/apply/apply-auth.ts").info(done[field] ?? "changed authentication", fields);
}

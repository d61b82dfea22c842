/** What can be done with roles. Each gives the rows for the store, or throws etcd's error and has changed nothing. */
import type { MetaChange } from "../backend/backend.ts";
import { type KeyPermission, PermissionType, type RoleRow } from "../codec/auth-row.ts";
import { errors } from "../errors/table.ts";
import { toBinaryKey } from "../lib/binary-key.ts";
import type { AuthState } from "./auth-state.ts";
import { rootName } from "./caller.ts";
import { isValidPermissionRange } from "./key-spans.ts";

/** What the root role may do, whatever its row says. */
const rootPermission: KeyPermission = {
  type: PermissionType.readWrite,
  key: new Uint8Array(0),
  rangeEnd: Uint8Array.of(0),
};

export function addRole(state: AuthState, name: string): MetaChange[] {
  if (name === "") throw errors.roleEmpty();
  if (state.role(name)) throw errors.roleAlreadyExist();
  return state.commit(state.putRole({ name, permissions: [] }));
}

/** Takes it from all users that have it, too. */
export function deleteRole(state: AuthState, name: string): MetaChange[] {
  if (state.enabled && name === rootName) throw errors.invalidAuthMgmt();
  roleOf(state, name);
  const changes = [state.deleteRole(name)];
  for (const user of [...state.users()]) {
    if (!user.roles.includes(name)) continue;
    changes.push(state.putUser({ ...user, roles: user.roles.filter((role) => role !== name) }));
  }
  return state.commit(...changes);
}

/**
 * Replaces the type of a permission for the same range, if that is the first of those that begin with the same key; else
 * adds one, although there may be one for the range then. That is what etcd does, and members of both kinds have to agree.
 */
export function grantPermission(
  state: AuthState,
  name: string,
  permission: KeyPermission | undefined,
): MetaChange[] {
  if (!permission) throw errors.permissionNotGiven();
  const { type, key, rangeEnd } = permission;
  if (!isValidPermissionRange(key, rangeEnd)) throw errors.invalidAuthMgmt();
  const role = roleOf(state, name);
  // Copies: these may be views into a request.
  const granted = { type, key: key.slice(), rangeEnd: rangeEnd.slice() };
  const first = role.permissions.findIndex((other) => byKey(other, granted) >= 0);
  const permissions =
    first >= 0 && isSameRange(role.permissions[first]!, granted)
      ? role.permissions.map((other, index) => (index === first ? granted : other))
      : [...role.permissions, granted].sort(byKey);
  return state.commit(state.putRole({ name, permissions }));
}

export function revokePermission(
  state: AuthState,
  name: string,
  range: Pick<KeyPermission, "key" | "rangeEnd">,
): MetaChange[] {
  const role = roleOf(state, name);
  const permissions = role.permissions.filter((permission) => !isSameRange(permission, range));
  if (permissions.length === role.permissions.length) throw errors.permissionNotGranted();
  return state.commit(state.putRole({ name, permissions }));
}

/** What a role allows, as it is told to clients. */
export function permissionsOf(state: AuthState, name: string): readonly KeyPermission[] {
  const role = roleOf(state, name);
  return name === rootName ? [rootPermission] : role.permissions;
}

function roleOf(state: AuthState, name: string): RoleRow {
  const role = state.role(name);
  if (!role) throw errors.roleNotFound();
  return role;
}

type KeyRange = Pick<KeyPermission, "key" | "rangeEnd">;

function isSameRange(a: KeyRange, b: KeyRange): boolean {
  return toBinaryKey(a.key) === toBinaryKey(b.key) && toBinaryKey(a.rangeEnd) === toBinaryKey(b.rangeEnd);
}

function byKey(a: KeyPermission, b: KeyPermission): number {
  const [keyA, keyB] = [toBinaryKey(a.key), toBinaryKey(b.key)];
  return keyA < keyB ? -1 : keyA > keyB ? 1 : 0;
}

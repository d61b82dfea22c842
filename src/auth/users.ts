/** What can be done with users. Each gives the rows for the store, or throws etcd's error and has changed nothing. */
import type { MetaChange } from "../backend/backend.ts";
import type { UserRow } from "../codec/auth-row.ts";
import { errors } from "../errors/table.ts";
import { decodeBase64 } from "../lib/base64.ts";
import { type AuthState, sortedByBytes } from "./auth-state.ts";
import { rootName } from "./caller.ts";

const noPassword = new Uint8Array(0);

export interface NewUser {
  readonly name: string;
  /** The bcrypt hash in base64. */
  readonly hashedPassword: string;
  /** True for a user that only a client certificate can speak for. */
  readonly noPassword: boolean;
}

export function addUser(state: AuthState, user: NewUser): MetaChange[] {
  if (user.name === "") throw errors.userEmpty();
  if (state.user(user.name)) throw errors.userAlreadyExist();
  const password = user.noPassword ? noPassword : hashOf(user.hashedPassword);
  const options = { noPassword: user.noPassword };
  return state.commit(state.putUser({ name: user.name, password, roles: [], options }));
}

export function deleteUser(state: AuthState, name: string): MetaChange[] {
  if (state.enabled && name === rootName) throw errors.invalidAuthMgmt();
  userOf(state, name);
  return state.commit(state.deleteUser(name));
}

export function changePassword(state: AuthState, name: string, hashedPassword: string): MetaChange[] {
  const user = userOf(state, name);
  const password = user.options?.noPassword ? noPassword : hashOf(hashedPassword);
  return state.commit(state.putUser({ ...user, password }));
}

/** No changes if the user has the role already. */
export function grantRole(state: AuthState, name: string, role: string): MetaChange[] {
  const user = userOf(state, name);
  if (role !== rootName && !state.role(role)) throw errors.roleNotFound();
  if (user.roles.includes(role)) return [];
  return state.commit(state.putUser({ ...user, roles: sortedByBytes([...user.roles, role]) }));
}

export function revokeRole(state: AuthState, name: string, role: string): MetaChange[] {
  if (state.enabled && name === rootName && role === rootName) throw errors.invalidAuthMgmt();
  const user = userOf(state, name);
  if (!user.roles.includes(role)) throw errors.roleNotGranted();
  return state.commit(state.putUser({ ...user, roles: user.roles.filter((other) => other !== role) }));
}

export function userOf(state: AuthState, name: string): UserRow {
  const user = state.user(name);
  if (!user) throw errors.userNotFound();
  return user;
}

function hashOf(hashedPassword: string): Uint8Array {
  const hash = decodeBase64(hashedPassword);
  if (!hash) throw errors.noPasswordUser();
  return hash;
}

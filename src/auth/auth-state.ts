/**
 * Users, roles and whether they count: changed only by apply, the same on every member, kept in etcd's buckets "auth",
 * "authUsers" and "authRoles". Every change but that of turning authentication on gives the state a new revision.
 */
import type { BinaryKey, MetaChange } from "../backend/backend.ts";
import {
  decodeRoleRow,
  decodeUserRow,
  encodeRoleRow,
  encodeUserRow,
  type RoleRow,
  type UserRow,
} from "../codec/auth-row.ts";
import { encodeUtf8 } from "../codec/protowire-write.ts";
import { assert } from "../lib/assert.ts";
import { toBinaryKey } from "../lib/binary-key.ts";
import { KeySpans } from "./key-spans.ts";

export const authBuckets = { auth: "auth", users: "authUsers", roles: "authRoles" } as const;

const enabledKey = "authEnabled";
export const authRevisionKey = "authRevision";
/** What a cluster begins with. */
export const firstAuthRevision = 1;

interface UserSpans {
  readonly read: KeySpans;
  readonly write: KeySpans;
}

export class AuthState {
  #enabled = false;
  #revision = firstAuthRevision;
  /** By name, as are the roles. */
  readonly #users = new Map<string, UserRow>();
  readonly #roles = new Map<string, RoleRow>();
  /** Of users who have asked for something since the last change. */
  readonly #spans = new Map<string, UserSpans>();

  /** Takes over what is in a store. What was here is gone. */
  load(
    auth: ReadonlyMap<BinaryKey, Uint8Array>,
    users: ReadonlyMap<BinaryKey, Uint8Array>,
    roles: ReadonlyMap<BinaryKey, Uint8Array>,
  ): void {
    this.#enabled = auth.get(enabledKey)?.[0] === 1;
    const revision = auth.get(authRevisionKey);
    this.#revision = revision === undefined ? firstAuthRevision : readRevision(revision);
    this.#users.clear();
    this.#roles.clear();
    this.#spans.clear();
    for (const row of users.values()) {
      const user = decodeUserRow(row);
      this.#users.set(user.name, user);
    }
    for (const row of roles.values()) {
      const role = decodeRoleRow(row);
      this.#roles.set(role.name, role);
    }
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  get revision(): number {
    return this.#revision;
  }

  user(name: string): UserRow | undefined {
    return this.#users.get(name);
  }

  role(name: string): RoleRow | undefined {
    return this.#roles.get(name);
  }

  users(): Iterable<UserRow> {
    return this.#users.values();
  }

  /** In order of their bytes. */
  userNames(): string[] {
    return sortedByBytes([...this.#users.keys()]);
  }

  roleNames(): string[] {
    return sortedByBytes([...this.#roles.keys()]);
  }

  /** What a user may read and write by its roles; the root role is none of them. Undefined for a user that is not there. */
  spansOf(name: string): UserSpans | undefined {
    const known = this.#spans.get(name);
    if (known) return known;
    const user = this.#users.get(name);
    if (!user) return undefined;
    const permissions = user.roles.flatMap((role) => this.#roles.get(role)?.permissions ?? []);
    const spans = { read: new KeySpans(permissions, "read"), write: new KeySpans(permissions, "write") };
    this.#spans.set(name, spans);
    return spans;
  }

  // Changes, each with the row for the store. `commit` ends those that belong together.

  setEnabled(enabled: boolean): MetaChange {
    this.#enabled = enabled;
    return { bucket: authBuckets.auth, key: enabledKey, value: Uint8Array.of(enabled ? 1 : 0) };
  }

  putUser(user: UserRow): MetaChange {
    this.#users.set(user.name, user);
    return { bucket: authBuckets.users, key: rowKey(user.name), value: encodeUserRow(user) };
  }

  deleteUser(name: string): MetaChange {
    this.#users.delete(name);
    return { bucket: authBuckets.users, key: rowKey(name), value: undefined };
  }

  putRole(role: RoleRow): MetaChange {
    this.#roles.set(role.name, role);
    return { bucket: authBuckets.roles, key: rowKey(role.name), value: encodeRoleRow(role) };
  }

  deleteRole(name: string): MetaChange {
    this.#roles.delete(name);
    return { bucket: authBuckets.roles, key: rowKey(name), value: undefined };
  }

  /** A new revision: what was found out about callers before counts no more. */
  commit(...changes: MetaChange[]): MetaChange[] {
    this.#revision++;
    this.#spans.clear();
    return [...changes, authRevisionRow(this.#revision)];
  }
}

/** The row that etcd always has, and ours only since the first change. */
export function authRevisionRow(revision: number): MetaChange {
  const value = new Uint8Array(8);
  new DataView(value.buffer).setBigUint64(0, BigInt(revision));
  return { bucket: authBuckets.auth, key: authRevisionKey, value };
}

function readRevision(row: Uint8Array): number {
  assert(row.length === 8, `an auth revision of ${row.length} bytes`);
  // etcd never writes 0; a file that has it means the same as one that has none.
  return Number(new DataView(row.buffer, row.byteOffset, 8).getBigUint64(0)) || firstAuthRevision;
}

function rowKey(name: string): BinaryKey {
  return toBinaryKey(encodeUtf8(name));
}

/** JavaScript compares UTF-16 units, etcd bytes; they differ beyond the basic plane. */
export function sortedByBytes(names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, key: rowKey(name) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ name }) => name);
}

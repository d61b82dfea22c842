/** authpb.User and authpb.Role: the rows of etcd's buckets "authUsers" and "authRoles". */
import { noBytes, Reader } from "./protowire-read.ts";
import {
  boolFieldSize,
  bytesFieldSize,
  encodeUtf8,
  lengthFieldSize,
  numberFieldSize,
  sealed,
  writeBoolField,
  writeBytes,
  writeBytesField,
  writeLength,
  writeNumberField,
} from "./protowire-write.ts";

/** What a permission allows. Rows may hold other numbers, which allow nothing. */
export const PermissionType = { read: 0, write: 1, readWrite: 2 } as const;

/** Leave to read or write the keys from `key` up to, but without, `rangeEnd`. */
export interface KeyPermission {
  readonly type: number;
  readonly key: Uint8Array;
  /** Empty: the one key. A single zero byte: all keys from `key` on. */
  readonly rangeEnd: Uint8Array;
}

export interface RoleRow {
  readonly name: string;
  /** In order of their keys. */
  readonly permissions: readonly KeyPermission[];
}

export interface UserRow {
  readonly name: string;
  /** The password's bcrypt hash; empty for a user without one. */
  readonly password: Uint8Array;
  /** In order of their bytes. */
  readonly roles: readonly string[];
  /** Undefined in the rows of old versions. */
  readonly options: { readonly noPassword: boolean } | undefined;
}

export function encodeUserRow({ name, password, roles, options }: UserRow): Uint8Array {
  const nameBytes = encodeUtf8(name);
  const roleBytes = roles.map(encodeUtf8);
  const noPassword = options?.noPassword ?? false;
  let size = bytesFieldSize(nameBytes) + bytesFieldSize(password);
  for (const role of roleBytes) size += lengthFieldSize(role.length);
  if (options) size += lengthFieldSize(boolFieldSize(noPassword));
  const buffer = new Uint8Array(size);
  let at = writeBytesField(buffer, 0, 0x0a, nameBytes);
  at = writeBytesField(buffer, at, 0x12, password);
  for (const role of roleBytes) at = writeBytes(buffer, writeLength(buffer, at, 0x1a, role.length), role);
  if (options) {
    at = writeLength(buffer, at, 0x22, boolFieldSize(noPassword));
    at = writeBoolField(buffer, at, 0x08, noPassword);
  }
  return sealed(buffer, at);
}

export function decodeUserRow(bytes: Uint8Array): UserRow {
  const reader = new Reader(bytes);
  let name = "";
  let password: Uint8Array = noBytes;
  const roles: string[] = [];
  let options: UserRow["options"];
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) name = reader.string();
    else if (tag === 0x12) password = reader.bytesField();
    else if (tag === 0x1a) roles.push(reader.string());
    else if (tag === 0x22) options = readOptions(reader);
    else reader.skip(tag);
  }
  return { name, password, roles, options };
}

function readOptions(reader: Reader): { noPassword: boolean } {
  const outer = reader.enter();
  let noPassword = false;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) noPassword = reader.bool();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { noPassword };
}

export function encodeRoleRow({ name, permissions }: RoleRow): Uint8Array {
  const nameBytes = encodeUtf8(name);
  let size = bytesFieldSize(nameBytes);
  for (const permission of permissions) size += lengthFieldSize(permissionSize(permission));
  const buffer = new Uint8Array(size);
  let at = writeBytesField(buffer, 0, 0x0a, nameBytes);
  for (const permission of permissions) {
    at = writeLength(buffer, at, 0x12, permissionSize(permission));
    at = writeNumberField(buffer, at, 0x08, permission.type);
    at = writeBytesField(buffer, at, 0x12, permission.key);
    at = writeBytesField(buffer, at, 0x1a, permission.rangeEnd);
  }
  return sealed(buffer, at);
}

const permissionSize = ({ type, key, rangeEnd }: KeyPermission): number =>
  numberFieldSize(type) + bytesFieldSize(key) + bytesFieldSize(rangeEnd);

export function decodeRoleRow(bytes: Uint8Array): RoleRow {
  const reader = new Reader(bytes);
  let name = "";
  const permissions: KeyPermission[] = [];
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) name = reader.string();
    else if (tag === 0x12) permissions.push(readPermission(reader));
    else reader.skip(tag);
  }
  return { name, permissions };
}

function readPermission(reader: Reader): KeyPermission {
  const outer = reader.enter();
  let type = 0;
  let key: Uint8Array = noBytes;
  let rangeEnd: Uint8Array = noBytes;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) type = reader.enum();
    else if (tag === 0x12) key = reader.bytesField();
    else if (tag === 0x1a) rangeEnd = reader.bytesField();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { type, key, rangeEnd };
}

// Written by .ci/make/message-tables.ts from authpb/auth.proto: `npm run gen`.

import type { EnumTable, MessageTable } from "../../../codec/message-table.ts";
import type * as pb from "../../authpb/auth_pb.ts";

export type UserAddOptions = pb.UserAddOptions;
export type User = pb.User;
export type Permission = pb.Permission;
export type Role = pb.Role;

export const Permission_Type: typeof pb.Permission_Type = { READ: 0, WRITE: 1, READWRITE: 2 };
export type Permission_Type = pb.Permission_Type;
export const Permission_TypeSchema: EnumTable = { kind: "enum", numbers: { READ: 0, WRITE: 1, READWRITE: 2 } };

export const UserAddOptionsSchema: MessageTable<typeof pb.UserAddOptionsSchema> = {
  kind: "message",
  typeName: "authpb.UserAddOptions",
  rows: () => [
    [1, "no_password", "bool"],
  ],
};

export const UserSchema: MessageTable<typeof pb.UserSchema> = {
  kind: "message",
  typeName: "authpb.User",
  rows: () => [
    [1, "name", "bytes"],
    [2, "password", "bytes"],
    [3, "roles", "string", "repeated"],
    [4, "options", UserAddOptionsSchema],
  ],
};

export const PermissionSchema: MessageTable<typeof pb.PermissionSchema> = {
  kind: "message",
  typeName: "authpb.Permission",
  rows: () => [
    [1, "permType", Permission_TypeSchema],
    [2, "key", "bytes"],
    [3, "range_end", "bytes"],
  ],
};

export const RoleSchema: MessageTable<typeof pb.RoleSchema> = {
  kind: "message",
  typeName: "authpb.Role",
  rows: () => [
    [1, "name", "bytes"],
    [2, "keyPermission", PermissionSchema, "repeated"],
  ],
};

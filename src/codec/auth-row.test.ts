import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Permission_Type, PermissionSchema, RoleSchema, UserSchema } from "../gen/authpb/auth_pb.ts";
import { decodeRoleRow, decodeUserRow, encodeRoleRow, encodeUserRow } from "./auth-row.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("rows of users and roles", () => {
  const users = [
    { name: "root", password: bytes("$2a$10$hash"), roles: ["root"], options: { noPassword: false } },
    { name: "é😀", password: bytes(""), roles: ["a", "", "ä"], options: { noPassword: true } },
    { name: "old", password: bytes("x".repeat(200)), roles: [], options: undefined },
  ];
  for (const user of users) {
    it(`are those of generated code: user ${user.name}`, () => {
      const { options, ...fields } = user;
      const message = create(UserSchema, { ...fields, name: bytes(user.name), ...(options && { options }) });
      const encoded = encodeUserRow(user);
      assert.deepEqual(encoded, toBinary(UserSchema, message));
      const decoded = decodeUserRow(encoded);
      assert.deepEqual(
        { ...decoded, password: [...decoded.password] },
        { ...user, password: [...user.password] },
      );
    });
  }

  it("are those of generated code: role", () => {
    const permissions: { type: Permission_Type; key: Uint8Array; rangeEnd: Uint8Array }[] = [
      { type: 0, key: bytes("a"), rangeEnd: bytes("") },
      { type: 2, key: bytes("a"), rangeEnd: bytes("b") },
      { type: 1, key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) },
    ];
    const keyPermission = permissions.map(({ type, key, rangeEnd }) =>
      create(PermissionSchema, { permType: type, key, rangeEnd }),
    );
    const encoded = encodeRoleRow({ name: "r", permissions });
    assert.deepEqual(encoded, toBinary(RoleSchema, create(RoleSchema, { name: bytes("r"), keyPermission })));
    const decoded = decodeRoleRow(encoded);
    assert.equal(decoded.name, "r");
    assert.deepEqual(
      decoded.permissions.map(({ type, key, rangeEnd }) => [type, [...key], [...rangeEnd]]),
      permissions.map(({ type, key, rangeEnd }) => [type, [...key], [...rangeEnd]]),
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Permission_Type } from "../../gen/authpb/auth_pb.ts";
import {
  AuthEnableRequestSchema,
  AuthEnableResponseSchema,
  AuthRoleAddRequestSchema,
  AuthRoleAddResponseSchema,
  AuthRoleGrantPermissionRequestSchema,
  AuthRoleGrantPermissionResponseSchema,
  AuthUserAddRequestSchema,
  AuthUserAddResponseSchema,
  AuthUserGrantRoleRequestSchema,
  AuthUserGrantRoleResponseSchema,
} from "../../gen/etcdserverpb/rpc_pb.ts";
import { FakeTokens, fakeAuthentication } from "../../server/auth/testing/fake-tokens.ts";
import { bytes, held, PlaceWorld } from "../places/testing/place-world.ts";

const denied = "etcdserver: permission denied";

/** `alice` may do everything under `a/`, and `bob` nothing. Their names are their tokens, as is root's. */
async function secured(): Promise<{ world: PlaceWorld; tokens: FakeTokens }> {
  const tokens = new FakeTokens();
  const world = await PlaceWorld.start({ authentication: fakeAuthentication(tokens) });
  await world.grant(1n, 2n, 3n);
  const auth = "/etcdserverpb.Auth";
  for (const name of ["root", "alice", "bob"]) {
    await world.asked(`${auth}/UserAdd`, [AuthUserAddRequestSchema, AuthUserAddResponseSchema], {
      name,
      password: name,
    });
  }
  for (const [user, role] of [
    ["root", "root"],
    ["alice", "locker"],
  ] as const) {
    await world.asked(`${auth}/RoleAdd`, [AuthRoleAddRequestSchema, AuthRoleAddResponseSchema], {
      name: role,
    });
    await world.asked(
      `${auth}/UserGrantRole`,
      [AuthUserGrantRoleRequestSchema, AuthUserGrantRoleResponseSchema],
      { user, role },
    );
  }
  const perm = { permType: Permission_Type.READWRITE, key: bytes("a/"), rangeEnd: bytes("a0") };
  await world.asked(
    `${auth}/RoleGrantPermission`,
    [AuthRoleGrantPermissionRequestSchema, AuthRoleGrantPermissionResponseSchema],
    { name: "locker", perm },
  );
  const enabled = await world.asked(
    `${auth}/AuthEnable`,
    [AuthEnableRequestSchema, AuthEnableResponseSchema],
    {},
  );
  assert.ok(typeof enabled.outcome() === "object", String(enabled.outcome()));
  for (const name of ["root", "alice", "bob"]) tokens.users.set(name, name);
  return { world, tokens };
}

describe("Lock, with authentication", () => {
  it("is for those who may read and write the lock's keys", async () => {
    const { world } = await secured();
    assert.equal(held(await world.lock("a", 1n)), "etcdserver: user name is empty");
    world.token = "bob";
    assert.equal(held(await world.lock("a", 1n)), denied);
    assert.equal((await world.unlock("a/1")).outcome(), denied);
    world.token = "wrong";
    assert.equal(held(await world.lock("a", 1n)), "etcdserver: invalid auth token");
    world.token = "alice";
    assert.equal(held(await world.lock("b", 1n)), denied);
    assert.equal(held(await world.lock("a", 1n)), "a/1");
    assert.ok(typeof (await world.unlock("a/1")).outcome() === "object");
  });

  it("is waited for longer than the token is good", async () => {
    const { world, tokens } = await secured();
    world.token = "alice";
    await world.lock("a", 1n);
    const [given, kept] = [await world.lock("a", 2n), await world.lock("a", 3n)];
    tokens.users.delete("alice");
    given.cancel();
    await world.run();
    assert.deepEqual(await world.keys("a/1", "a/2", "a/3"), ["a/1", "a/3"]);
    world.token = "root";
    await world.unlock("a/1");
    assert.equal(held(kept), "a/3");
  });
});

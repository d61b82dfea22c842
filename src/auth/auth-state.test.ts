import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MetaChange } from "../backend/backend.ts";
import { type KeyPermission, PermissionType } from "../codec/auth-row.ts";
import type { TxnRequest } from "../codec/kv.ts";
import { emptyPutRequest } from "../codec/put.ts";
import { emptyRangeRequest } from "../codec/range.ts";
import { errors } from "../errors/table.ts";
import { AuthState, authBuckets, firstAuthRevision } from "./auth-state.ts";
import type { Caller } from "./caller.ts";
import { checkAdmin, checkDeleteRange, checkPut, checkRange, checkTxn, checkUser } from "./permission.ts";
import { addRole, deleteRole, grantPermission, permissionsOf, revokePermission } from "./roles.ts";
import { disableAuth, enableAuth } from "./switch.ts";
import { addUser, changePassword, deleteUser, grantRole, revokeRole } from "./users.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const base64 = (text: string) => Buffer.from(text).toString("base64");
const none = bytes("");
const all = Uint8Array.of(0);

function throwsEtcd(run: () => unknown, expected: { readonly text: string }): void {
  assert.throws(run, (error: Error) => error.message === expected.text, expected.text);
}

const newUser = (name: string) => ({ name, hashedPassword: base64(`hash of ${name}`), noPassword: false });

/** What was written, as a store has it. */
class Rows {
  readonly state = new AuthState();
  readonly buckets = new Map<string, Map<string, Uint8Array>>(
    Object.values(authBuckets).map((name) => [name, new Map()]),
  );

  apply(changes: MetaChange[]): void {
    for (const { bucket, key, value } of changes) {
      if (value) this.buckets.get(bucket)!.set(key, value);
      else this.buckets.get(bucket)!.delete(key);
    }
  }

  reloaded(): AuthState {
    const state = new AuthState();
    state.load(this.buckets.get("auth")!, this.buckets.get("authUsers")!, this.buckets.get("authRoles")!);
    return state;
  }
}

function withRoot(): Rows {
  const rows = new Rows();
  rows.apply(addUser(rows.state, newUser("root")));
  rows.apply(grantRole(rows.state, "root", "root"));
  rows.apply(addUser(rows.state, newUser("eve")));
  rows.apply(addRole(rows.state, "some"));
  rows.apply(grantRole(rows.state, "eve", "some"));
  return rows;
}

function enabled(): { rows: Rows; state: AuthState; as: (username: string) => Caller } {
  const rows = withRoot();
  rows.apply(enableAuth(rows.state));
  const { state } = rows;
  return { rows, state, as: (username) => ({ username, authRevision: state.revision }) };
}

describe("users and roles", () => {
  it("begin at revision 1, and each change but turning on gives the next one", () => {
    const { state } = new Rows();
    assert.equal(state.revision, firstAuthRevision);
    addUser(state, newUser("root"));
    assert.equal(state.revision, 2);
    grantRole(state, "root", "root");
    assert.equal(state.revision, 3);
    assert.deepEqual(grantRole(state, "root", "root"), [], "it has it already");
    assert.equal(state.revision, 3);
    enableAuth(state);
    assert.equal(state.revision, 3);
    assert.deepEqual(enableAuth(state), []);
    disableAuth(state);
    assert.equal(state.revision, 4);
    assert.deepEqual(disableAuth(state), []);
  });

  it("are the same after they were read back", () => {
    const rows = withRoot();
    rows.apply(
      grantPermission(rows.state, "some", { type: PermissionType.read, key: bytes("a"), rangeEnd: none }),
    );
    rows.apply(addUser(rows.state, { name: "cn", hashedPassword: "", noPassword: true }));
    rows.apply(enableAuth(rows.state));
    const again = rows.reloaded();
    assert.equal(again.enabled, true);
    assert.equal(again.revision, rows.state.revision);
    assert.deepEqual(again.userNames(), ["cn", "eve", "root"]);
    assert.deepEqual(again.user("root")?.roles, ["root"]);
    assert.equal(new TextDecoder().decode(again.user("eve")?.password), "hash of eve");
    assert.equal(again.user("cn")?.options?.noPassword, true);
    checkRange(again, { username: "eve", authRevision: again.revision }, bytes("a"), none);
    rows.apply(deleteUser(rows.state, "eve"));
    assert.equal(rows.reloaded().user("eve"), undefined);
  });

  it("are listed in the order of their bytes", () => {
    const { state } = new Rows();
    for (const name of ["\u{10000}", "\uffff", "b", "a"]) addUser(state, newUser(name));
    assert.deepEqual(state.userNames(), ["a", "b", "\uffff", "\u{10000}"]);
  });

  it("refuse what etcd refuses", () => {
    const { state } = withRoot();
    const perm = (key: string, rangeEnd = "") => ({ type: 0, key: bytes(key), rangeEnd: bytes(rangeEnd) });
    throwsEtcd(() => addUser(state, newUser("")), errors.userEmpty);
    throwsEtcd(() => addUser(state, newUser("eve")), errors.userAlreadyExist);
    throwsEtcd(() => addUser(state, { ...newUser("x"), hashedPassword: "*" }), errors.noPasswordUser);
    throwsEtcd(() => deleteUser(state, "nobody"), errors.userNotFound);
    throwsEtcd(() => changePassword(state, "nobody", ""), errors.userNotFound);
    throwsEtcd(() => grantRole(state, "nobody", "some"), errors.userNotFound);
    throwsEtcd(() => grantRole(state, "eve", "no role"), errors.roleNotFound);
    throwsEtcd(() => revokeRole(state, "eve", "root"), errors.roleNotGranted);
    throwsEtcd(() => addRole(state, ""), errors.roleEmpty);
    throwsEtcd(() => addRole(state, "some"), errors.roleAlreadyExist);
    throwsEtcd(() => deleteRole(state, "no role"), errors.roleNotFound);
    throwsEtcd(() => permissionsOf(state, "no role"), errors.roleNotFound);
    throwsEtcd(() => grantPermission(state, "some", undefined), errors.permissionNotGiven);
    throwsEtcd(() => grantPermission(state, "some", perm("")), errors.invalidAuthMgmt);
    throwsEtcd(() => grantPermission(state, "some", perm("b", "a")), errors.invalidAuthMgmt);
    throwsEtcd(() => grantPermission(state, "no role", perm("a")), errors.roleNotFound);
    throwsEtcd(() => revokePermission(state, "some", perm("a")), errors.permissionNotGranted);
  });

  it("cannot lock out the root user while they count", () => {
    const { state } = enabled();
    addRole(state, "root");
    throwsEtcd(() => deleteUser(state, "root"), errors.invalidAuthMgmt);
    throwsEtcd(() => revokeRole(state, "root", "root"), errors.invalidAuthMgmt);
    throwsEtcd(() => deleteRole(state, "root"), errors.invalidAuthMgmt);
    disableAuth(state);
    deleteRole(state, "root");
    deleteUser(state, "root");
    throwsEtcd(() => enableAuth(state), errors.rootUserNotExist);
    addUser(state, newUser("root"));
    throwsEtcd(() => enableAuth(state), errors.rootRoleNotExist);
  });

  it("take a deleted role from its users", () => {
    const rows = withRoot();
    rows.apply(deleteRole(rows.state, "some"));
    assert.deepEqual(rows.reloaded().user("eve")?.roles, []);
  });

  it("replace the permission for the same range, and keep ranges in order", () => {
    const { state } = withRoot();
    grantPermission(state, "some", { type: PermissionType.read, key: bytes("b"), rangeEnd: none });
    grantPermission(state, "some", { type: PermissionType.read, key: bytes("a"), rangeEnd: bytes("c") });
    grantPermission(state, "some", { type: PermissionType.write, key: bytes("b"), rangeEnd: none });
    const told = permissionsOf(state, "some").map(({ type, key }) => [type, new TextDecoder().decode(key)]);
    assert.deepEqual(told, [
      [PermissionType.read, "a"],
      [PermissionType.write, "b"],
    ]);
  });
});

describe("a second permission for a range", () => {
  const grant = (state: AuthState, type: KeyPermission["type"], key: string, end: Uint8Array) =>
    grantPermission(state, "some", { type, key: bytes(key), rangeEnd: end });

  it("stands beside the first one where another begins with the same key, as in etcd", () => {
    const { state } = withRoot();
    grant(state, PermissionType.read, "a", none);
    grant(state, PermissionType.read, "a", bytes("b"));
    grant(state, PermissionType.write, "a", bytes("b"));
    grant(state, PermissionType.write, "a", none);
    const types = permissionsOf(state, "some").map(({ type }) => type);
    assert.deepEqual(types, [PermissionType.write, PermissionType.read, PermissionType.write]);
    revokePermission(state, "some", { key: bytes("a"), rangeEnd: bytes("b") });
    assert.equal(permissionsOf(state, "some").length, 1, "revoking takes all of them away");
  });
});

describe("permission", () => {
  const put = (key: string, more = {}) => ({ ...emptyPutRequest(), key: bytes(key), ...more });

  it("is not asked for without authentication", () => {
    const { state } = withRoot();
    checkRange(state, undefined, bytes("a"), all);
    checkPut(state, undefined, put("a"));
    checkAdmin(state, undefined);
    checkUser(state, undefined);
  });

  it("needs a name, a user and the newest revision", () => {
    const { state, as } = enabled();
    throwsEtcd(() => checkUser(state, undefined), errors.userEmpty);
    throwsEtcd(() => checkAdmin(state, undefined), errors.userEmpty);
    throwsEtcd(() => checkAdmin(state, as("")), errors.userEmpty);
    throwsEtcd(() => checkAdmin(state, as("nobody")), errors.userNotFound);
    throwsEtcd(() => checkAdmin(state, as("eve")), errors.permissionDenied);
    throwsEtcd(() => checkRange(state, undefined, bytes("a"), none), errors.userEmpty);
    throwsEtcd(() => checkRange(state, as("nobody"), bytes("a"), none), errors.permissionDenied);
    checkRange(state, as("root"), bytes("a"), all);
    checkAdmin(state, as("root"));
    const before = as("root");
    addRole(state, "new");
    throwsEtcd(() => checkRange(state, before, bytes("a"), none), errors.authOldRevision);
    checkAdmin(state, before);
  });

  it("follows roles at once", () => {
    const { state, as } = enabled();
    throwsEtcd(() => checkPut(state, as("eve"), put("a")), errors.permissionDenied);
    grantPermission(state, "some", { type: PermissionType.readWrite, key: bytes("a"), rangeEnd: bytes("b") });
    checkPut(state, as("eve"), put("a"));
    revokeRole(state, "eve", "some");
    throwsEtcd(() => checkPut(state, as("eve"), put("a")), errors.permissionDenied);
  });

  it("to write does not include what a write would tell of the value before", () => {
    const { state, as } = enabled();
    grantPermission(state, "some", { type: PermissionType.write, key: bytes("a"), rangeEnd: all });
    const eve = as("eve");
    checkPut(state, eve, put("a"));
    throwsEtcd(() => checkPut(state, eve, put("a", { prevKv: true })), errors.permissionDenied);
    const range = { key: bytes("a"), rangeEnd: bytes("c") };
    checkDeleteRange(state, eve, { ...range, prevKv: false });
    throwsEtcd(() => checkDeleteRange(state, eve, { ...range, prevKv: true }), errors.permissionDenied);
  });

  it("is needed for all of a transaction, however deep", () => {
    const { state, as } = enabled();
    grantPermission(state, "some", { type: PermissionType.write, key: bytes("w"), rangeEnd: none });
    grantPermission(state, "some", { type: PermissionType.read, key: bytes("r"), rangeEnd: none });
    const eve = as("eve");
    const txn = (more: Partial<TxnRequest>): TxnRequest => ({
      compare: [],
      success: [],
      failure: [],
      ...more,
    });
    const compare = (key: string, rangeEnd = none) => ({
      result: 0,
      target: 0,
      key: bytes(key),
      rangeEnd,
      operand: 0,
    });
    const get = (key: string) => ({
      kind: "range" as const,
      range: { ...emptyRangeRequest(), key: bytes(key) },
    });
    const write = (key: string, more = {}) => ({ kind: "put" as const, put: put(key, more) });
    const remove = (key: string, prevKv = false) => ({
      kind: "deleteRange" as const,
      deleteRange: { key: bytes(key), rangeEnd: none, prevKv },
    });
    const allowed = txn({ compare: [compare("r")], success: [get("r"), write("w")], failure: [remove("w")] });
    checkTxn(state, eve, allowed);
    const refused: Partial<TxnRequest>[] = [
      { compare: [compare("w")] },
      { compare: [compare("r", all)] },
      { success: [get("w")] },
      { failure: [write("r")] },
      { success: [write("w", { prevKv: true })] },
      { failure: [remove("w", true)] },
      { failure: [remove("r")] },
    ];
    for (const request of refused) {
      for (const depth of [0, 1, 3]) {
        let nested = txn(request);
        for (let i = 0; i < depth; i++)
          nested = txn(
            i % 2 ? { success: [{ kind: "txn", txn: nested }] } : { failure: [{ kind: "txn", txn: nested }] },
          );
        throwsEtcd(() => checkTxn(state, eve, nested), errors.permissionDenied);
      }
    }
  });
});

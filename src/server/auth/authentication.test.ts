import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import type { Caller } from "../../auth/caller.ts";
import { MemoryBackend } from "../../backend/memory/memory-backend.ts";
import { encodeLeaseId } from "../../codec/lease.ts";
import { emptyPutRequest } from "../../codec/put.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { errors } from "../../errors/table.ts";
import {
  AlarmRequest_AlarmAction,
  AlarmRequestSchema,
  AlarmType,
  PutRequestSchema,
} from "../../gen/etcdserverpb/rpc_pb.ts";
import type { LeaseId } from "../../lib/ids.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";
import { beginEnabled } from "./begin-enabled.ts";
import { FakeTokens, fakeAuthentication } from "./testing/fake-tokens.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const none = new Uint8Array(0);

/** Proposes in somebody's name, with a message that apply takes as it is. */
function ask<T>(
  { server, run }: TestServer,
  field: number,
  request: unknown,
  caller?: Caller,
  body: Uint8Array = none,
): Promise<T> {
  const answer = new Promise<T>((resolve, reject) => {
    server.propose<T>({ field, bytes: body, request, caller }, (error, result) =>
      error ? reject(error) : resolve(result as T),
    );
  });
  answer.catch(() => {});
  return run().then(() => answer);
}

function put(test: TestServer, key: string, caller?: Caller, lease = 0n): Promise<unknown> {
  const request = { ...emptyPutRequest(), key: bytes(key), value: bytes("v"), lease: lease as LeaseId };
  const body = toBinary(PutRequestSchema, create(PutRequestSchema, request));
  return ask(test, raftField.put, request, caller, body);
}

const refused = (answer: Promise<unknown>, { text }: { readonly text: string }) =>
  assert.rejects(answer, (error: Error) => error.message === text);

/** Root, and "eve" who may write the keys "e…". */
async function secured(tokens = new FakeTokens()): Promise<{
  test: TestServer;
  as: (username: string) => Caller;
}> {
  const test = await startTestServer({ authentication: fakeAuthentication(tokens) });
  const user = (name: string) => ({ name, hashedPassword: btoa(`hash of ${name}`), options: undefined });
  await ask(test, raftField.authUserAdd, user("root"));
  await ask(test, raftField.authUserGrantRole, { user: "root", role: "root" });
  await ask(test, raftField.authUserAdd, user("eve"));
  await ask(test, raftField.authRoleAdd, { name: "e" });
  const perm = { permType: 1, key: bytes("e"), rangeEnd: bytes("f") };
  await ask(test, raftField.authRoleGrantPermission, { name: "e", perm });
  await ask(test, raftField.authUserGrantRole, { user: "eve", role: "e" });
  await ask(test, raftField.authEnable, {});
  return { test, as: (username) => ({ username, authRevision: test.server.auth.state.revision }) };
}

describe("authentication at apply", () => {
  it("refuses entries of nobody, of old revisions and of those without permission", async () => {
    const { test, as } = await secured();
    await refused(put(test, "e"), errors.userEmpty);
    await refused(put(test, "x", as("eve")), errors.permissionDenied);
    await put(test, "e", as("eve"));
    const before = as("eve");
    await ask(test, raftField.authRoleAdd, { name: "more" }, as("root"));
    await refused(put(test, "e", before), errors.authOldRevision);
    await refused(ask(test, raftField.authRoleAdd, { name: "own" }, as("eve")), errors.permissionDenied);
    assert.equal(test.get("x"), undefined);
    assert.deepEqual(test.server.auth.state.roleNames(), ["e", "more"]);
  });

  it("hears of a full store before it hears of a permission, as in etcd", async () => {
    const { test, as } = await secured();
    const action = AlarmRequest_AlarmAction.ACTIVATE;
    const request = create(AlarmRequestSchema, { action, memberID: 5n, alarm: AlarmType.NOSPACE });
    await ask(test, raftField.alarm, request, as("root"));
    await refused(put(test, "x", as("eve")), errors.noSpace);
    await refused(put(test, "x"), errors.noSpace);
  });

  it("goes on after an entry that was refused, at the next index", async () => {
    const { test, as } = await secured();
    const { appliedIndex } = test.server.raftStatus();
    await refused(put(test, "x", as("eve")), errors.permissionDenied);
    assert.equal(test.server.raftStatus().appliedIndex, appliedIndex + 1);
    await put(test, "x", as("root"));
    assert.equal(test.get("x"), "v");
  });

  it("looks at all keys of a lease, however many, before a key is attached or the lease revoked", async () => {
    const { test, as } = await secured();
    const grant = { id: 5n as LeaseId, ttlSeconds: 1000 };
    await ask(test, raftField.leaseGrant, grant, as("eve"));
    for (let i = 0; i < 600; i++) await put(test, `e${i}`, as("eve"), 5n);
    await put(test, "e", as("eve"), 5n);
    await put(test, "x", as("root"), 5n);
    await refused(put(test, "e", as("eve"), 5n), errors.permissionDenied);
    const revoke = (caller: Caller) =>
      ask(test, raftField.leaseRevoke, 5n, caller, encodeLeaseId(5n as LeaseId));
    await refused(revoke(as("eve")), errors.permissionDenied);
    assert.equal(test.get("e599"), "v");
    await revoke(as("root"));
    assert.equal(test.get("e599"), undefined);
    assert.equal(test.server.lessor.has(5n as LeaseId), false);
  });

  it("lets leases whose time is over end all the same", async () => {
    const { test, as } = await secured();
    await ask(test, raftField.leaseGrant, { id: 5n as LeaseId, ttlSeconds: 2 }, as("eve"));
    await put(test, "x", as("root"), 5n);
    await test.pass(4000);
    assert.equal(test.get("x"), undefined);
  });

  it("forgets the tokens of users who are removed or get another password, and all when it is turned off", async () => {
    const tokens = new FakeTokens();
    const { test, as } = await secured(tokens);
    const login = (name: string) =>
      ask(test, raftField.authenticate, { name, simpleToken: tokens.newPrefix() });
    for (const name of ["root", "root", "eve", "eve"]) await login(name);
    assert.equal(tokens.users.size, 4);
    const newPassword = { name: "root", hashedPassword: btoa("another") };
    await ask(test, raftField.authUserChangePassword, newPassword, as("root"));
    assert.deepEqual([...tokens.users.values()], ["eve", "eve"]);
    await ask(test, raftField.authUserDelete, { name: "eve" }, as("root"));
    assert.equal(tokens.users.size, 0);
    await refused(login("eve"), errors.authFailed);
    await login("root");
    await ask(test, raftField.authDisable, {}, as("root"));
    assert.equal(tokens.isEnabled, false);
    await refused(login("root"), errors.authNotEnabled);
  });

  it("is in the store, in the buckets that etcd keeps it in", async () => {
    const backend = new MemoryBackend({});
    const first = await startTestServer({ backend, authentication: fakeAuthentication() });
    const root = { name: "root", hashedPassword: btoa("hash"), options: undefined };
    await ask(first, raftField.authUserAdd, root);
    await ask(first, raftField.authUserGrantRole, { user: "root", role: "root" });
    await ask(first, raftField.authEnable, {});
    await first.pass(200);
    const rows = (bucket: string) => backend.meta(bucket, undefined, 10).map(({ key }) => key);
    assert.deepEqual(rows("auth"), ["authEnabled", "authRevision"]);
    assert.deepEqual(rows("authUsers"), ["root"]);
  });
});

describe("enable-authorization", () => {
  const passwords: string[] = [];
  const begin = async (test: TestServer) => {
    const begun = beginEnabled(
      test.server,
      () => "generated",
      (password) => passwords.push(password),
    );
    await test.run();
    await begun;
  };

  it("makes a root user with a password that is told once, and lets nobody in before", async () => {
    const authentication = fakeAuthentication(new FakeTokens(), { startsEnabled: true });
    const test = await startTestServer({ authentication });
    assert.equal(test.server.auth.isAwaited, true);
    assert.equal(test.server.servesAll, false);
    await begin(test);
    assert.deepEqual(passwords, ["generated"]);
    assert.equal(test.server.auth.enabled, true);
    assert.equal(test.server.servesAll, true);
    const hash = String.fromCharCode(...test.server.auth.state.user("root")!.password);
    assert.equal(hash, "hash of generated");
    await begin(test);
    assert.deepEqual(passwords, ["generated"]);
  });

  it("keeps a root user that is there", async () => {
    passwords.length = 0;
    const authentication = fakeAuthentication(new FakeTokens(), { startsEnabled: true });
    const test = await startTestServer({ authentication });
    const root = { name: "root", hashedPassword: btoa("mine"), options: undefined };
    await ask(test, raftField.authUserAdd, root);
    await begin(test);
    assert.deepEqual(passwords, []);
    assert.equal(test.server.auth.enabled, true);
    assert.equal(String.fromCharCode(...test.server.auth.state.user("root")!.password), "mine");
  });
});

describe("who a call is from", () => {
  it("is what its token says, or else its certificate where certificates count", async () => {
    const tokens = new FakeTokens();
    const test = await startTestServer({
      authentication: fakeAuthentication(tokens, { trustCertificates: true }),
    });
    const { auth } = test.server;
    assert.equal(auth.identify({ token: "any", commonName: "cn" }), undefined, "nobody is asked");
    await ask(test, raftField.authUserAdd, { name: "root", hashedPassword: "", options: undefined });
    await ask(test, raftField.authUserGrantRole, { user: "root", role: "root" });
    await ask(test, raftField.authEnable, {});
    tokens.users.set("t", "root");
    const authRevision = auth.state.revision;
    assert.deepEqual(auth.identify({ token: "t", commonName: "cn" }), { username: "root", authRevision });
    assert.deepEqual(auth.identify({ token: undefined, commonName: "cn" }), { username: "cn", authRevision });
    assert.equal(auth.identify({ token: undefined, commonName: undefined }), undefined);
    assert.throws(() => auth.identify({ token: "x", commonName: "cn" }), /invalid auth token/);
    tokens.isSlow = true;
    assert.deepEqual(await auth.identify({ token: "t", commonName: undefined }), {
      username: "root",
      authRevision,
    });
    await assert.rejects(
      async () => auth.identify({ token: "x", commonName: undefined }),
      /invalid auth token/,
    );
  });

  it("is not what a certificate says where certificates do not count", async () => {
    const { test } = await secured();
    assert.equal(test.server.auth.identify({ token: undefined, commonName: "root" }), undefined);
  });
});

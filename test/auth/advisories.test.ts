/**
 * Ways around etcd's authorization that were found in etcd, tried here. Two further advisories are about TLS, and are tried
 * on a whole server in test/processes/tls-callers.test.ts: GHSA-3wh4-j44w-pg92 (with a port of its own for HTTP, the gRPC
 * port let clients with revoked certificates in) and GHSA-6vch-q96h-7gc3 (handshakes without an end held connections, as many
 * as anybody cared to open).
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { errors } from "../../src/errors/table.ts";
import {
  type AlarmRequest_AlarmAction,
  AlarmRequestSchema,
  AlarmResponseSchema,
  CompactionRequestSchema,
  CompactionResponseSchema,
  LeaseGrantRequestSchema,
  LeaseGrantResponseSchema,
  LeaseTimeToLiveRequestSchema,
  LeaseTimeToLiveResponseSchema,
  MemberListRequestSchema,
  MemberListResponseSchema,
  PutRequestSchema,
  PutResponseSchema,
  RangeRequestSchema,
  RequestOpSchema,
  TxnRequestSchema,
  TxnResponseSchema,
  WatchRequestSchema,
  type WatchResponse,
  WatchResponseSchema,
} from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { bytes, SecuredServer } from "./secured-server.ts";

const fromKey = new Uint8Array(1);

type Headers = Readonly<Record<string, string>>;

describe("advisories about authorization", () => {
  let server: SecuredServer;
  let root: { token: string };
  /** May read the one key "readable" and write the one key "writable". */
  let eve: { token: string };

  const refused = (answer: Promise<unknown>, error: { readonly text: string }) =>
    assert.rejects(answer, (reason: Error) => {
      assert.equal(reason.message, error.text);
      return true;
    });
  const put = (key: string, as: { token: string }, lease = 0n) =>
    server.call(
      "/etcdserverpb.KV/Put",
      PutRequestSchema,
      PutResponseSchema,
      { key: bytes(key), value: bytes("v"), lease },
      as,
    );
  const txn = (request: Parameters<typeof create<typeof TxnRequestSchema>>[1], as: { token: string }) =>
    server.call("/etcdserverpb.KV/Txn", TxnRequestSchema, TxnResponseSchema, request!, as);
  const opOf = (request: Parameters<typeof create<typeof RequestOpSchema>>[1]) =>
    create(RequestOpSchema, request);
  const nested = (op: ReturnType<typeof opOf>) =>
    opOf({
      request: {
        case: "requestTxn",
        value: create(TxnRequestSchema, { success: [op] }),
      },
    });
  const putOp = (value: { key: string; prevKv?: boolean; lease?: bigint }) =>
    opOf({
      request: {
        case: "requestPut",
        value: create(PutRequestSchema, { ...value, key: bytes(value.key), value: bytes("new") }),
      },
    });

  before(async () => {
    server = await SecuredServer.start();
    await server.addUser("eve");
    await server.addRole("some");
    await server.grant("some", 0, "readable");
    await server.grant("some", 1, "writable");
    await server.grantRole("eve", "some");
    await server.enable();
    root = { token: await server.login("root") };
    eve = { token: await server.login("eve") };
    for (const key of ["readable", "secret", "writable", "z"]) await put(key, root);
  });
  after(() => server.stop());

  it("CVE-2026-33413: members, alarms, leases and compaction are not for everybody", async () => {
    const list = (as: Headers) =>
      server.call(
        "/etcdserverpb.Cluster/MemberList",
        MemberListRequestSchema,
        MemberListResponseSchema,
        {},
        as,
      );
    await refused(list({}), errors.userEmpty);
    await list(eve);
    const alarm = (action: AlarmRequest_AlarmAction, as: Headers) =>
      server.call(
        "/etcdserverpb.Maintenance/Alarm",
        AlarmRequestSchema,
        AlarmResponseSchema,
        { action, alarm: 1, memberID: 1n },
        as,
      );
    await refused(alarm(1, {}), errors.userEmpty);
    await refused(alarm(1, eve), errors.permissionDenied);
    await refused(alarm(2, eve), errors.permissionDenied);
    assert.deepEqual(server.server.alarms(), []);
    const grant = (as: Headers) =>
      server.call(
        "/etcdserverpb.Lease/LeaseGrant",
        LeaseGrantRequestSchema,
        LeaseGrantResponseSchema,
        { TTL: 10n },
        as,
      );
    await refused(grant({}), errors.userEmpty);
    const compact = (as: Headers) =>
      server.call(
        "/etcdserverpb.KV/Compact",
        CompactionRequestSchema,
        CompactionResponseSchema,
        { revision: 1n },
        as,
      );
    await refused(compact({}), errors.userEmpty);
    await refused(compact(eve), errors.permissionDenied);
    assert.equal(server.server.store.compactRevision, -1);
  });

  it("CVE-2026-33343: a transaction in a transaction needs the same permission", async () => {
    const secretRead = opOf({
      request: {
        case: "requestRange",
        value: create(RangeRequestSchema, { key: bytes("secret") }),
      },
    });
    for (const op of [secretRead, putOp({ key: "secret" })]) {
      for (const depth of [1, 2, 5]) {
        let request = op;
        for (let i = 0; i < depth; i++) request = nested(request);
        await refused(txn({ success: [request] }, eve), errors.permissionDenied);
        await refused(txn({ failure: [request] }, eve), errors.permissionDenied);
      }
    }
    await txn({ success: [nested(nested(putOp({ key: "writable" })))] }, eve);
  });

  it("CVE-2026-44283 (issue 21681): a put in a transaction tells nothing of what may not be read", async () => {
    const curious = putOp({ key: "writable", prevKv: true });
    await refused(txn({ success: [curious] }, eve), errors.permissionDenied);
    await refused(txn({ success: [nested(curious)] }, eve), errors.permissionDenied);
    await txn({ success: [putOp({ key: "writable" })] }, eve);
  });

  it("CVE-2026-44283 (issue 21681): a put in a transaction cannot bind a key to a foreign lease", async () => {
    const path = "/etcdserverpb.Lease/LeaseGrant";
    await server.call(path, LeaseGrantRequestSchema, LeaseGrantResponseSchema, { ID: 5n, TTL: 1000n }, root);
    await put("secret", root, 5n);
    await refused(put("writable", eve, 5n), errors.permissionDenied);
    const binding = putOp({ key: "writable", lease: 5n });
    await refused(txn({ success: [binding] }, eve), errors.permissionDenied);
    await refused(txn({ failure: [nested(binding)] }, eve), errors.permissionDenied);
    const names = server.call(
      "/etcdserverpb.Lease/LeaseTimeToLive",
      LeaseTimeToLiveRequestSchema,
      LeaseTimeToLiveResponseSchema,
      { ID: 5n, keys: true },
      eve,
    );
    await refused(names, errors.permissionDenied);
  });

  it("GHSA-xg4h-6gfc-h4m8: who may read one key cannot watch all that follow it", async () => {
    const open = watch({ key: bytes("readable"), rangeEnd: fromKey }, eve);
    const [answer] = await open.first(1);
    assert.equal(answer!.canceled, true);
    assert.match(answer!.cancelReason, /permission denied/);
    open.call.cancel();

    const allowed = watch({ key: bytes("readable"), rangeEnd: new Uint8Array(0) }, eve);
    assert.equal((await allowed.first(1))[0]!.canceled, false);
    await put("z", root);
    await put("readable", root);
    const events = (await allowed.first(2))[1]!.events;
    assert.deepEqual(
      events.map(({ kv }) => new TextDecoder().decode(kv?.key)),
      ["readable"],
    );
    allowed.call.cancel();
  });

  function watch(value: { key: Uint8Array; rangeEnd: Uint8Array }, as: { token: string }) {
    const answers: WatchResponse[] = [];
    let heard = () => {};
    const call = server.client.call(
      "/etcdserverpb.Watch/Watch",
      (message) => {
        answers.push(fromBinary(WatchResponseSchema, message));
        heard();
      },
      as,
    );
    const request = create(WatchRequestSchema, {
      requestUnion: { case: "createRequest", value: value as never },
    });
    call.send(toBinary(WatchRequestSchema, request));
    const first = async (count: number) => {
      while (answers.length < count) {
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
      }
      return answers;
    };
    return { call, first };
  }
});

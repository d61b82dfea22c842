/** A client that does not read its answers: what it costs, and that it costs nobody else. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { create as createMessage, type MessageInitShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import {
  RangeRequest_SortOrder,
  RangeRequest_SortTarget,
  RangeRequestSchema,
  TxnRequestSchema,
  WatchRequestSchema,
} from "../../src/gen/etcdserverpb/rpc_pb.ts";
import { grpcMessage, grpcMessages, type RawClient } from "../../src/transport/testing/raw-client.ts";
import { waitFor } from "../../src/transport/testing/wait-for.ts";
import { BoundedServer, limits } from "./bounded-server.ts";

const rangePath = "/etcdserverpb.KV/Range";
const text = (value: string) => new TextEncoder().encode(value);
const enhanceYourCalm = 11;

type RangeInit = MessageInitShape<typeof RangeRequestSchema>;

const all = (prefix: string): RangeInit => ({ key: text(prefix), rangeEnd: text(`${prefix}~`) });
const rangeMessage = (init: RangeInit) =>
  toBinary(RangeRequestSchema, createMessage(RangeRequestSchema, init));

function txnMessage(range: RangeInit): Uint8Array {
  const success = [{ request: { case: "requestRange" as const, value: range } }];
  return toBinary(TxnRequestSchema, createMessage(TxnRequestSchema, { success }));
}

/** About 215 KB: more than a large answer, and less than a connection may keep. */
const rows = 200;
const answerBytes = 215_000;
/** 2 MB. */
const largeRows = 200;
const largeValueBytes = 10_000;

const byMod = {
  sortTarget: RangeRequest_SortTarget.MOD,
  sortOrder: RangeRequest_SortOrder.DESCEND,
};
const reads: Record<string, { readonly path: string; readonly message: Uint8Array }> = {
  ranges: { path: rangePath, message: rangeMessage(all("a")) },
  "sorted ranges": { path: rangePath, message: rangeMessage({ ...all("a"), ...byMod }) },
  transactions: { path: "/etcdserverpb.KV/Txn", message: txnMessage(all("a")) },
  gets: { path: rangePath, message: rangeMessage({ key: text("a000000") }) },
};

describe("answers that nobody reads", () => {
  let server: BoundedServer;
  let bystander: RawClient;
  let nextId = 1;

  /** The rows that somebody else gets meanwhile. */
  async function ask(init: RangeInit): Promise<number> {
    const id = nextId;
    nextId += 2;
    bystander.unary(id, rangePath, rangeMessage(init));
    const { trailers, body } = await bystander.answer(id);
    assert.equal(trailers["grpc-status"], "0");
    return body.length;
  }

  before(async () => {
    server = await BoundedServer.start();
    await server.fill("a", rows);
    await server.fill("l", largeRows, largeValueBytes);
    bystander = await server.reading();
  });
  after(() => server.stop());

  for (const [name, { path, message }] of Object.entries(reads)) {
    it(`are not made for ever: ${name}`, async () => {
      const calls = name === "gets" ? 900 : 60;
      const handledBefore = server.ports.methods.get(path)!.counters.handled[0]!;
      const client = await server.unreading();
      for (let i = 0; i < calls; i++) client.unary(2 * i + 1, path, message);
      await client.sync();
      await server.atRest(path, handledBefore + calls);
      assert.ok(server.ports.answers.waitingCalls > 0, "some wait");
      // The connection's own, its largest answer, and what the last slice added.
      assert.ok(server.usedBytes <= limits.connectionBytes + 3 * answerBytes, `${server.usedBytes} bytes`);
      assert.ok((await ask({ key: text("a000000") })) > 1000);
      assert.ok((await ask(all("a"))) > rows * 1000);

      // Those that are cancelled wait no more.
      const waiting = server.ports.answers.waitingCalls;
      for (let i = calls - 10; i < calls; i++) client.reset(2 * i + 1);
      await waitFor("ten calls to be gone", () => server.ports.answers.waitingCalls === waiting - 10);

      server.read(client);
      for (let i = 0; i < calls - 10; i++) {
        const { trailers, body } = await client.answer(2 * i + 1);
        assert.equal(trailers["grpc-status"], "0");
        assert.equal(grpcMessages(body).length, 1);
        assert.ok(body.length > (name === "gets" ? 1000 : rows * 1000));
      }
      client.destroy();
      await waitFor("nothing to be kept", () => server.usedBytes === 0 && server.server.slices.active === 0);
    });
  }

  it("do not outlive their deadlines or their connection", async () => {
    const client = await server.unreading();
    const message = rangeMessage(all("a"));
    for (let i = 0; i < 30; i++) client.unary(2 * i + 1, rangePath, message);
    await waitFor("calls to wait", () => server.ports.answers.waitingCalls > 0);
    const id = 61;
    client.call(id, rangePath, [["grpc-timeout", "50m"]]);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    client.data(id, Buffer.concat([prefix, message]), true);
    assert.equal((await client.answer(id)).trailers["grpc-status"], "4");
    client.destroy();
    await waitFor("nothing to be kept", () => server.usedBytes === 0 && server.server.slices.active === 0);
    assert.equal(server.ports.answers.waitingCalls, 0);
  });

  it("do not hold a compaction back", async () => {
    const { store, slices } = server.server;
    const client = await server.unreading();
    const calls = 20;
    for (let i = 0; i < calls; i++) client.unary(2 * i + 1, rangePath, rangeMessage(all("l")));
    await waitFor("reads to stand still", () => slices.active > 0 && server.ports.answers.waitingCalls > 0);
    await server.fill("b", 1);
    // What a compaction does with those who read an older revision for too long.
    store.expireReads(store.revision);
    server.read(client);
    const codes = new Set<string | undefined>();
    for (let i = 0; i < calls; i++) codes.add((await client.answer(2 * i + 1)).trailers["grpc-status"]);
    assert.deepEqual([...codes].sort(), ["0", "11"]);
    client.destroy();
    await waitFor("nothing to be kept", () => server.usedBytes === 0 && slices.active === 0);
  });

  it("are not made for ever: watches", async () => {
    const path = "/etcdserverpb.Watch/Watch";
    const client = await server.unreading();
    const value = { key: text("w"), rangeEnd: text("x") };
    const create = { requestUnion: { case: "createRequest" as const, value } };
    const streams = 30;
    for (let i = 0; i < streams; i++) {
      client.call(2 * i + 1, path);
      client.data(
        2 * i + 1,
        grpcMessage(toBinary(WatchRequestSchema, createMessage(WatchRequestSchema, create))),
        false,
      );
    }
    await waitFor("all watches", () => server.server.watchHub.counts.watchers === streams);
    const keys = 400;
    await server.fill("w", keys);
    await waitFor("watchers to be told", () => !server.server.watchHub.hasWork);
    assert.ok(server.usedBytes <= 4 * limits.connectionBytes, `${server.usedBytes} bytes`);
    server.read(client);
    await waitFor("all events", () => {
      for (let i = 0; i < streams; i++) if (client.bodyOf(2 * i + 1).length < keys * 1000) return false;
      return true;
    });
    client.destroy();
    await waitFor("nothing to be kept", () => server.usedBytes === 0);
  });

  const ranges = Array.from({ length: 8 }, () => all("l"));
  const large = { success: ranges.map((value) => ({ request: { case: "requestRange" as const, value } })) };
  const largeTxn = createMessage(TxnRequestSchema, large);
  const doors: Record<string, { readonly path: string; readonly type: string; readonly body: Uint8Array }> = {
    JSON: {
      path: "/v3/kv/txn",
      type: "application/json",
      body: text(toJsonString(TxnRequestSchema, largeTxn)),
    },
    "gRPC-web": {
      path: "/etcdserverpb.KV/Txn",
      type: "application/grpc-web+proto",
      body: grpcMessage(toBinary(TxnRequestSchema, largeTxn)),
    },
  };
  for (const [name, { path, type, body }] of Object.entries(doors)) {
    it(`are counted whichever way they go: ${name}`, async () => {
      const socket = connect({ port: server.port, host: "127.0.0.1" });
      socket.on("error", () => {});
      socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n`);
      socket.write(`Content-Length: ${body.length}\r\n\r\n`);
      socket.write(body);
      await waitFor("the answer to be kept", () => server.usedBytes > 8 * largeRows * largeValueBytes);
      socket.destroy();
      await waitFor("nothing to be kept", () => server.usedBytes === 0);
    });
  }

  it("make way when there is no room for others", async () => {
    const greedy = [await server.unreading(), await server.unreading()];
    for (const client of greedy) client.unary(1, rangePath, rangeMessage(all("l")));
    await waitFor("both to be answered", () => server.usedBytes > limits.serverBytes);
    assert.ok((await ask({ key: text("a000000") })) > 1000, "a small one goes on");
    assert.ok((await ask(all("l"))) > largeRows * largeValueBytes, "a large one goes on when there is room");
    const resets = () => greedy.flatMap(({ frames }) => frames.filter(({ type }) => type === 3));
    await waitFor("a reset", () => resets().length > 0);
    assert.equal(resets()[0]!.payload.readUInt32BE(0), enhanceYourCalm);
    for (const client of greedy) client.destroy();
    await waitFor("nothing to be kept", () => server.usedBytes === 0);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deleteRange, put, range, txn } from "../../src/client/methods/kv.ts";
import { leaseGrant, leaseTimeToLive } from "../../src/client/methods/lease.ts";
import { watch } from "../../src/client/methods/watch.ts";
import { withProxy } from "./with-proxy.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const text = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString("latin1");

describe("a namespace", () => {
  it("is all that clients of the proxy see, and others see it with its prefix", async () => {
    await withProxy(["--namespace=ns/"], async ({ client, direct }) => {
      await direct.unary(put, { key: bytes("outside"), value: bytes("x") });
      await client.unary(put, { key: bytes("a"), value: bytes("1") });
      const again = await client.unary(put, { key: bytes("a"), value: bytes("2"), prev_kv: true });
      assert.equal(text(again.prev_kv?.key), "a");
      const all = { key: Uint8Array.of(0), range_end: Uint8Array.of(0) };
      const inside = await client.unary(range, all);
      assert.deepEqual(
        inside.kvs.map(({ key, value }) => [text(key), text(value)]),
        [["a", "2"]],
      );
      const outside = await direct.unary(range, all);
      assert.deepEqual(
        outside.kvs.map(({ key }) => text(key)),
        ["ns/a", "outside"],
      );
      await assert.rejects(client.unary(put, { key: bytes("") }), /key is not provided/);
      const gone = await client.unary(deleteRange, { ...all, prev_kv: true });
      assert.deepEqual(
        gone.prev_kvs.map(({ key }) => text(key)),
        ["a"],
      );
      assert.equal((await direct.unary(range, all)).count, 1n);
    });
  });

  it("reaches into transactions, those inside them, and leases", async () => {
    await withProxy(["--namespace=ns/"], async ({ client, direct }) => {
      const { ID } = await client.unary(leaseGrant, { TTL: 60n });
      await client.unary(put, { key: bytes("a"), value: bytes("1") });
      const answer = await client.unary(txn, {
        compare: [{ key: bytes("a"), target: 0, result: 0, version: 1n }],
        success: [
          { request_put: { key: bytes("a"), value: bytes("1"), lease: ID } },
          {
            request_txn: {
              compare: [{ key: bytes("a"), range_end: bytes("b"), target: 3, result: 0, value: bytes("1") }],
              success: [{ request_range: { key: bytes("a") } }],
            },
          },
        ],
      });
      assert.ok(answer.succeeded);
      const inner = answer.responses[1]?.response_txn;
      assert.ok(inner?.succeeded, "the comparison inside sees the namespace");
      assert.equal(text(inner.responses[0]?.response_range?.kvs[0]?.key), "a");
      await direct.unary(put, { key: bytes("outside"), value: bytes("x"), lease: ID });
      const { keys } = await client.unary(leaseTimeToLive, { ID, keys: true });
      assert.deepEqual(keys.map(text), ["a"]);
    });
  });

  it("is taken off the events of watches", async () => {
    await withProxy(["--namespace=ns/"], async ({ client, direct }) => {
      const stream = await client.duplex(watch);
      stream.send({ create_request: { key: bytes("a"), range_end: Uint8Array.of(0), prev_kv: true } });
      assert.ok((await stream.next())?.created);
      await direct.unary(put, { key: bytes("z"), value: bytes("not ours") });
      await client.unary(put, { key: bytes("a"), value: bytes("1") });
      await client.unary(put, { key: bytes("a"), value: bytes("2") });
      const seen: [string, string][] = [];
      while (seen.length < 2) {
        for (const { kv, prev_kv } of (await stream.next())?.events ?? []) {
          seen.push([text(kv?.key), text(prev_kv?.key)]);
        }
      }
      assert.deepEqual(seen, [
        ["a", ""],
        ["a", "a"],
      ]);
    });
  });

  it("takes its prefix off an answer of a thousand keys", async () => {
    await withProxy(["--namespace=ns/"], async ({ client }) => {
      const value = bytes("x".repeat(1000));
      const ops = Array.from({ length: 100 }, (_, i) => i);
      for (let group = 0; group < 10; group++) {
        const success = ops.map((i) => ({ request_put: { key: bytes(`${group}/${i}`), value } }));
        await client.unary(txn, { success });
      }
      const { kvs } = await client.unary(range, { key: Uint8Array.of(0), range_end: Uint8Array.of(0) });
      assert.equal(kvs.length, 1000);
      assert.ok(kvs.every((kv) => /^\d\/\d+$/.test(text(kv.key)) && kv.value.length === 1000));
    });
  });
});

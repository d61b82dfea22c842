import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Etcd } from "./index.ts";

/** Much for a machine that does nothing else. */
const timeout = 60_000;

describe("a lock of the library", () => {
  it("is held by one at a time, and handed on in order", { timeout }, async () => {
    await using etcd = await Etcd.start({ memory: true });
    const { client } = etcd;
    const first = await client.lock("l");
    assert.equal((await client.kv.get(first.key))?.key, first.key);
    const order: string[] = ["first"];
    const second = client.lock("l").then((lock) => {
      order.push("second");
      return lock;
    });
    await waiting(etcd, 2n);
    const third = client.lock("l").then((lock) => {
      order.push("third");
      return lock;
    });
    await waiting(etcd, 3n);
    assert.deepEqual(order, ["first"]);
    await first.release();
    await first.lost;
    await (await second).release();
    await using last = await third;
    assert.deepEqual(order, ["first", "second", "third"]);
    assert.ok(last.revision > first.revision);
  });

  it("leaves nothing behind when it is waited for no longer", { timeout }, async () => {
    await using etcd = await Etcd.start({ memory: true });
    const { client } = etcd;
    await using held = await client.lock("l");
    const stop = new AbortController();
    const waited = client.lock("l", { signal: stop.signal });
    await waiting(etcd, 2n);
    stop.abort(new Error("enough"));
    await assert.rejects(waited, { message: "enough" });
    assert.deepEqual(
      (await client.kv.list("l/", { prefix: true })).map(({ key }) => key),
      [held.key],
    );
    await assert.rejects(client.lock("l", { signal: AbortSignal.abort(new Error("before")) }), {
      message: "before",
    });
  });

  it("is free when its holder lost it", { timeout }, async () => {
    await using etcd = await Etcd.start({ memory: true });
    const { client } = etcd;
    const held = await client.lock("l", { ttlSeconds: 2 });
    const lease = (await client.kv.get(held.key))!.lease;
    await client.lease.revoke(lease);
    await held.lost;
    await (await client.lock("l")).release();
  });
});

/** Resolves when so many hold or wait. */
async function waiting(etcd: Etcd, count: bigint): Promise<void> {
  while ((await etcd.client.kv.count("l/", { prefix: true })) < count);
}

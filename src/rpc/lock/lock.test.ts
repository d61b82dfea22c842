import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { errors } from "../../errors/table.ts";
import { LeaseKeepAliveResponseSchema } from "../../gen/etcdserverpb/rpc_pb.ts";
import { LockRequestSchema, LockResponseSchema } from "../../gen/v3lockpb/v3lock_pb.ts";
import { bytes, held, PlaceWorld } from "../places/testing/place-world.ts";

const txnPath = "/etcdserverpb.KV/Txn";
const expired = "mutex: session is expired";

describe("Lock", () => {
  it("is held by one after the other, in the order in which they came", async () => {
    const world = await PlaceWorld.start();
    await world.grant(10n, 11n, 12n);
    const [first, second, third] = [
      await world.lock("a", 10n),
      await world.lock("a", 12n),
      await world.lock("a", 11n),
    ];
    assert.deepEqual([held(first), held(second), held(third)], ["a/a", undefined, undefined]);
    await world.unlock("a/a");
    assert.deepEqual([held(second), held(third)], ["a/c", undefined]);
    await world.unlock("a/c");
    assert.equal(held(third), "a/b");
    await world.unlock("a/b");
    assert.equal(held(await world.lock("a", 10n)), "a/a");
  });

  it("goes to the next when the holder's lease ends", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n, 2n);
    await world.lock("a", 1n);
    const waiting = await world.lock("a", 2n);
    await world.server.revoke(1n);
    await world.run();
    assert.equal(held(waiting), "a/2");
  });

  it("is refused to who has lost the lease while waiting, at once", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n, 2n);
    await world.lock("a", 1n);
    const waiting = await world.lock("a", 2n);
    await world.server.revoke(2n);
    await world.run();
    assert.equal(held(waiting), expired);
  });

  it("is refused when both leases end in one turn, in either order", async () => {
    for (const order of [
      [1n, 2n],
      [2n, 1n],
    ]) {
      const world = await PlaceWorld.start();
      await world.grant(1n, 2n);
      await world.lock("a", 1n);
      const waiting = await world.lock("a", 2n);
      await Promise.all(order.map((lease) => world.server.revoke(lease)));
      await world.run();
      assert.equal(held(waiting), expired, `leases end in the order ${order}`);
    }
  });

  it("is refused when the lease is over and its key not deleted yet", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n, 2n);
    await world.lock("a", 1n);
    const waiting = await world.lock("a", 2n);
    world.routes.set("/etcdserverpb.Lease/LeaseKeepAlive", {
      kind: "stream",
      open: (call) => ({
        onMessage: () =>
          call.write(
            toBinary(LeaseKeepAliveResponseSchema, create(LeaseKeepAliveResponseSchema, { ID: 2n })),
          ),
        onHalfClose: () => call.end(),
      }),
    });
    await world.unlock("a/1");
    assert.equal(held(waiting), expired);
    assert.deepEqual(await world.keys("a/1", "a/2"), []);
  });

  it("is not held by a key that was made anew meanwhile", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n, 2n);
    await world.lock("a", 1n);
    const waiting = await world.lock("a", 2n);
    await Promise.all([world.unlock("a/2"), world.server.put("a/2", "", 0n as never), world.unlock("a/1")]);
    await world.run();
    assert.equal(held(waiting), expired);
  });

  it("is left to those behind when a call is cancelled", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n, 2n, 3n);
    await world.lock("a", 1n);
    const [given, kept] = [await world.lock("a", 2n), await world.lock("a", 3n)];
    given.cancel();
    await world.run();
    assert.deepEqual(await world.keys("a/1", "a/2", "a/3"), ["a/1", "a/3"]);
    await world.unlock("a/1");
    assert.equal(held(kept), "a/3");
  });

  it("gives up a place that a call took although it was cancelled", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n);
    const name = bytes("a");
    const lock = world.ask("/v3lockpb.Lock/Lock", [LockRequestSchema, LockResponseSchema], {
      name,
      lease: 1n,
    });
    lock.cancel();
    await world.run();
    assert.deepEqual(await world.keys("a/1"), []);
    // Two revisions: it was there.
    assert.equal(world.server.server.store.revision, 3);
  });

  it("stays with the later of two calls for one place when the earlier gives it up late", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n, 2n);
    await world.lock("a", 1n);
    const given = await world.lock("a", 2n);
    const txn = world.routes.get(txnPath)!;
    world.routes.set(txnPath, { kind: "single", onRequest: (call) => call.fail(errors.timeout()) });
    given.cancel();
    await world.run();
    world.routes.set(txnPath, txn);
    // The client calls again before its first call is undone.
    const again = await world.lock("a", 2n);
    await world.unlock("a/1");
    assert.equal(held(again), "a/2");
    await world.server.pass(2_000);
    assert.deepEqual(await world.keys("a/2"), ["a/2"]);
  });

  it("is answered at once to who holds it, and keeps what is in its key", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n);
    await world.lock("a", 1n);
    await world.server.put("a/1", "who I am", 1n as never);
    assert.equal(held(await world.lock("a", 1n)), "a/1");
    assert.equal(world.server.get("a/1"), "who I am");
  });

  it("takes a lease of its own for who has none, and ends it when the call is cancelled", async () => {
    const world = await PlaceWorld.start();
    const first = await world.lock("a", 0n);
    assert.match(held(first) ?? "", /^a\/[0-9a-f]+$/);
    assert.equal(world.server.server.lessor.size, 1);
    const waiting = await world.lock("a", 0n);
    assert.equal(world.server.server.lessor.size, 2);
    waiting.cancel();
    await world.run();
    assert.equal(world.server.server.lessor.size, 1);
    await world.server.pass(62_000);
    assert.equal(world.server.server.lessor.size, 0);
    assert.equal(world.server.get(held(first)!), undefined);
  });

  it("says in etcd's words what is wrong", async () => {
    const world = await PlaceWorld.start();
    await world.grant(-5n);
    assert.equal(held(await world.lock("a", 7n)), "etcdserver: requested lease not found");
    assert.equal((await world.unlock("")).outcome(), "etcdserver: key is not provided");
    assert.equal(held(await world.lock("", -5n)), "/-5");
  });

  it("gives up a place again and again until it is gone", async () => {
    const world = await PlaceWorld.start();
    await world.grant(1n, 2n, 3n);
    await world.lock("a", 1n);
    const [given, kept] = [await world.lock("a", 2n), await world.lock("a", 3n)];
    const txn = world.routes.get(txnPath)!;
    world.routes.set(txnPath, { kind: "single", onRequest: (call) => call.fail(errors.timeout()) });
    given.cancel();
    await world.run();
    assert.deepEqual(await world.keys("a/2"), ["a/2"]);
    world.routes.set(txnPath, txn);
    await world.server.pass(1_100);
    assert.deepEqual(await world.keys("a/2"), []);
    await world.unlock("a/1");
    assert.equal(held(kept), "a/3");
  });
});

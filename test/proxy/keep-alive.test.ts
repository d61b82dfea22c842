import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keepAliveOnce } from "../../src/client/lease-keeper.ts";
import { leaseGrant, leaseKeepAlive, leaseRevoke } from "../../src/client/methods/lease.ts";
import { metricIn, withProxy } from "./with-proxy.ts";

const received =
  'grpc_server_msg_received_total{grpc_method="LeaseKeepAlive",grpc_service="etcdserverpb.Lease",grpc_type="bidi_stream"}';

describe("renewals through the proxy", () => {
  it("of one lease by many clients at a time are few, and every client is answered", async () => {
    await withProxy([], async ({ client, serverMetric }) => {
      const { ID } = await client.unary(leaseGrant, { TTL: 60n });
      const streams = await Promise.all(Array.from({ length: 50 }, () => client.duplex(leaseKeepAlive)));
      for (const stream of streams) stream.send({ ID });
      const answers = await Promise.all(streams.map((stream) => stream.next()));
      assert.deepEqual(new Set(answers.map((answer) => answer?.TTL)), new Set([60n]));
      assert.deepEqual(new Set(answers.map((answer) => answer?.ID)), new Set([ID]));
      const renewals = serverMetric(received);
      assert.ok(renewals >= 1 && renewals <= 10, `${renewals} renewals for 50 clients`);
      for (const stream of streams) stream.cancel();
    });
  });

  it("by one client are not held up", async () => {
    await withProxy([], async ({ client, serverMetric }) => {
      const { ID } = await client.unary(leaseGrant, { TTL: 60n });
      const stream = await client.duplex(leaseKeepAlive);
      for (let i = 0; i < 20; i++) {
        stream.send({ ID });
        assert.equal((await stream.next())?.TTL, 60n);
      }
      assert.equal(serverMetric(received), 20);
      stream.halfClose();
      assert.equal(await stream.next(), undefined);
    });
  });

  it("of a lease that is gone say so", async () => {
    await withProxy([], async ({ client, get }) => {
      const { ID } = await client.unary(leaseGrant, { TTL: 60n });
      await keepAliveOnce(client, ID);
      await client.unary(leaseRevoke, { ID });
      await assert.rejects(keepAliveOnce(client, ID), /requested lease not found/);
      assert.ok(metricIn((await get("/proxy/metrics")).text, received) === 2);
    });
  });
});

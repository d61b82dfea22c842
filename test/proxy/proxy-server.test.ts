import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Client } from "../../src/client/client.ts";
import * as auth from "../../src/client/methods/auth.ts";
import { memberList } from "../../src/client/methods/cluster.ts";
import { compact, put, range, rangeStream } from "../../src/client/methods/kv.ts";
import { snapshot, status } from "../../src/client/methods/maintenance.ts";
import { watch } from "../../src/client/methods/watch.ts";
import { silentLogger } from "../../src/lib/testing/silent-logger.ts";
import { startProxy } from "../../src/proxy/grpc/proxy-server.ts";
import { problemOf } from "../../src/proxy/grpc/settings.ts";
import { metricIn, proxyFlagsFrom, untilSo, withProxy } from "./with-proxy.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString();

describe("the gRPC proxy", () => {
  it("passes calls and errors on", async () => {
    await withProxy([], async ({ client, direct }) => {
      await client.unary(put, { key: bytes("k"), value: bytes("v") });
      const [through, past] = await Promise.all(
        [client, direct].map((one) => one.unary(range, { key: bytes("k") })),
      );
      assert.deepEqual(through, past);
      const why = (one: Client) =>
        one.unary(compact, { revision: 99n }).catch((error: Error) => error.message);
      assert.equal(await why(client), await why(direct));
      assert.equal((await client.unary(status, {})).version, (await direct.unary(status, {})).version);
    });
  });

  it("passes streams on, as slowly as they are read", async () => {
    await withProxy([], async ({ client, direct }) => {
      const value = bytes("x".repeat(1024 * 1024));
      for (let i = 0; i < 8; i++) await direct.unary(put, { key: bytes(`k${i}`), value });
      let count = 0;
      const all = { key: Uint8Array.of(0), range_end: Uint8Array.of(0) };
      for await (const { range_response } of await client.serverStream(rangeStream, all)) {
        count += range_response?.kvs.length ?? 0;
      }
      assert.equal(count, 8);
      let size = 0;
      for await (const { blob } of await client.serverStream(snapshot, {})) size += blob.length;
      assert.equal(size % 512, 32);
      assert.ok(size > 8 * 1024 * 1024);
    });
  });

  it("ends calls by their deadlines while no server can be reached", async () => {
    const proxy = await startProxy(proxyFlagsFrom(["--endpoints=127.0.0.1:1"]), silentLogger);
    const client = new Client({ endpoints: [`127.0.0.1:${proxy.port}`] });
    try {
      const late = client.unary(put, { key: bytes("k") }, { timeoutMs: 200 });
      await assert.rejects(late, /context deadline exceeded/);
    } finally {
      client.close();
      await proxy.stop(0);
    }
  });

  it("is asked with each client's own token, for watches too", async () => {
    await withProxy([], async ({ client, another }) => {
      for (const name of ["root", "eve", "ann"]) {
        await client.unary(auth.userAdd, { name, password: name, options: { no_password: false } });
      }
      await client.unary(auth.roleAdd, { name: "root" });
      await client.unary(auth.roleAdd, { name: "reader" });
      const perm = { permType: 0, key: bytes("k") };
      await client.unary(auth.roleGrantPermission, { name: "reader", perm });
      await client.unary(auth.userGrantRole, { user: "root", role: "root" });
      await client.unary(auth.userGrantRole, { user: "ann", role: "reader" });
      await client.unary(auth.authEnable, {});
      const [root, eve, ann] = await Promise.all(
        ["root", "eve", "ann"].map((name) => another({ user: { name, password: name } })),
      );
      await assert.rejects(eve!.unary(range, { key: bytes("k") }), /permission denied/);
      const watches = await Promise.all([root!, ann!, eve!, client].map((one) => one.duplex(watch)));
      const created = [];
      for (const stream of watches) {
        stream.send({ create_request: { key: bytes("k") } });
        created.push(await stream.next());
      }
      assert.deepEqual(
        created.map((answer) => answer?.cancel_reason),
        [
          "",
          "",
          "rpc error: code = PermissionDenied desc = etcdserver: permission denied",
          "rpc error: code = InvalidArgument desc = etcdserver: user name is empty",
        ],
      );
      // The one that the watch was begun with goes; the other one's goes on.
      await root!.unary(put, { key: bytes("k"), value: bytes("1") });
      assert.equal(text((await watches[0]!.next())?.events[0]?.kv?.value), "1");
      assert.equal(text((await watches[1]!.next())?.events[0]?.kv?.value), "1");
      watches[0]!.cancel();
      await root!.unary(put, { key: bytes("k"), value: bytes("2") });
      assert.equal(text((await watches[1]!.next())?.events[0]?.kv?.value), "2");
    });
  });

  it("says how it is and how the servers are", async () => {
    await withProxy([], async ({ get, client }) => {
      await client.unary(range, { key: bytes("k") });
      assert.deepEqual(await get("/health"), { status: 200, text: '{"health":"true","reason":""}' });
      // The address it advertises is nobody's here.
      assert.equal((await get("/proxy/health")).status, 503);
      assert.ok(metricIn((await get("/metrics")).text, "etcd_server_has_leader") === 1);
      const own = (await get("/proxy/metrics")).text;
      for (const name of [
        "watchers_coalescing",
        "events_coalescing",
        "cache_keys",
        "cache_hits",
        "cache_misses",
      ]) {
        assert.equal(metricIn(own, `etcd_grpc_proxy_${name}_total`), 0);
      }
      assert.equal((await get("/nothing")).status, 404);
    });
  });

  it("is a member to those who ask for members, and registers itself", async () => {
    const flags = [
      "--advertise-client-url=127.0.0.1:42001",
      "--resolver-prefix=proxies",
      "--resolver-ttl=60",
    ];
    await withProxy(flags, async ({ client, direct, proxy }) => {
      const urls = async () =>
        (await client.unary(memberList, {})).members.map(({ clientURLs }) => clientURLs);
      assert.deepEqual(await urls(), [["127.0.0.1:42001"]]);
      const key = bytes("proxies/127.0.0.1:42001");
      let value = "";
      await untilSo("the registration", async () => {
        value = text((await direct.unary(range, { key })).kvs[0]?.value);
        return value !== "";
      });
      const { Op, Addr, Metadata } = JSON.parse(value) as Record<string, unknown>;
      assert.deepEqual(
        [Op, Addr, typeof JSON.parse(String(Metadata)).name],
        [0, "127.0.0.1:42001", "string"],
      );
      const another = { Op: 0, Addr: "10.0.0.1:1", Metadata: '{"name":"other"}' };
      await direct.unary(put, { key: bytes("proxies/10.0.0.1:1"), value: bytes(JSON.stringify(another)) });
      await untilSo("the other proxy", async () => (await urls()).length === 2);
      await proxy.stop(0);
      const isGone = async () => (await direct.unary(range, { key })).count === 0n;
      await untilSo("the end of the registration", isGone);
    });
  });

  it("goes on with its watches when a server's stream breaks", async () => {
    await withProxy([], async ({ client, proxy, direct }) => {
      const stream = await client.duplex(watch);
      stream.send({ create_request: { key: bytes("k") } });
      assert.ok((await stream.next())?.created);
      await direct.unary(put, { key: bytes("k"), value: bytes("1") });
      assert.equal(text((await stream.next())?.events[0]?.kv?.value), "1");
      proxy.dropConnections();
      await direct.unary(put, { key: bytes("k"), value: bytes("2") });
      assert.equal(text((await stream.next())?.events[0]?.kv?.value), "2");
    });
  });

  it("refuses flags that contradict each other", () => {
    const refused = (words: string[]) => problemOf(proxyFlagsFrom(words));
    assert.equal(refused(["--resolver-prefix=x"]), "invalid resolver-ttl 0");
    assert.equal(refused(["--resolver-ttl=5"]), 'invalid resolver-prefix ""');
    assert.match(refused(["--tls-min-version=TLS1.3", "--tls-max-version=TLS1.2"]) ?? "", /greater than max/);
    assert.match(refused(["--tls-min-version=SSL3"]) ?? "", /tls-min-version is invalid/);
    assert.equal(refused([]), undefined);
  });
});

/** Against a DNS server of the test's own. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type FakeDns, startFakeDns } from "../../runtime/testing/fake-dns.ts";
import { discoverServers, urlOfServer } from "./client-servers.ts";

describe("the servers of a domain", () => {
  let dns: FakeDns;
  before(async () => {
    dns = await startFakeDns({
      "_etcd-client._tcp.both.test": [["plain.both.test", 2379]],
      "_etcd-client-ssl._tcp.both.test": [
        ["one.both.test", 2379],
        ["two.both.test", 12379],
      ],
      "_etcd-client-blue._tcp.both.test": [["blue.both.test", 1]],
    });
  });
  after(() => dns.close());

  it("are those for TLS, then the others, in the order of their priority", async () => {
    const found = await discoverServers("both.test", "", [dns.server]);
    assert.deepEqual(found.map(urlOfServer), [
      "https://one.both.test:2379",
      "https://two.both.test:12379",
      "http://plain.both.test:2379",
    ]);
  });

  it("are asked for by the name of a service", async () => {
    const found = await discoverServers("both.test", "blue", [dns.server]);
    assert.deepEqual(found.map(urlOfServer), ["http://blue.both.test:1"]);
  });

  it("are refused in etcd's words if there are none", async () => {
    await assert.rejects(discoverServers("none.test", "", [dns.server]), {
      message:
        "dns lookup errors: lookup _etcd-client-ssl._tcp.none.test: no such host and " +
        "lookup _etcd-client._tcp.none.test: no such host",
    });
  });
});

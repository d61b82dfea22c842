/** Against a DNS server of the test's own. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { parseEtcdUrl } from "../../lib/etcd-url.ts";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import { lookupSrv } from "../../runtime/lookup-srv.ts";
import { type FakeDns, type SrvAnswers, startFakeDns } from "../../runtime/testing/fake-dns.ts";
import { clusterFromDns } from "./dns-discovery.ts";

const records: SrvAnswers = {
  "_etcd-server._tcp.plain.test": [
    ["one.plain.test", 2380],
    ["two.plain.test", 2380],
  ],
  "_etcd-server-ssl-blue._tcp.secure.test": [["one.secure.test", 2380]],
  "_etcd-server-ssl._tcp.wrong.test": [["one.plain.test", 2380]],
};

const addresses: Readonly<Record<string, string>> = {
  "one.plain.test": "10.0.0.1",
  "two.plain.test": "10.0.0.2",
  "one.secure.test": "10.0.1.1",
};

describe("discovery by DNS", () => {
  let dns: FakeDns;
  before(async () => {
    dns = await startFakeDns(records);
  });
  after(() => dns.close());

  const discover = (discoverySrv: string, discoverySrvName: string, advertised: string) =>
    clusterFromDns(
      { name: "me", discoverySrv, discoverySrvName, initialAdvertisePeerUrls: [parseEtcdUrl(advertised)] },
      {
        srv: (name) => lookupSrv(name, [dns.server]),
        host: async (name) => {
          const address = addresses[name];
          if (address === undefined) throw new Error(`lookup ${name}: no such host`);
          return address;
        },
      },
      silentLogger,
    );

  it("finds the members, and this one among them by its address", async () => {
    const cluster = await discover("plain.test", "", "http://two.plain.test:2380");
    assert.equal(cluster, "0=http://one.plain.test:2380,me=http://two.plain.test:2380");
  });

  it("asks for secure members, and for those of a name", async () => {
    const cluster = await discover("secure.test", "blue", "https://one.secure.test:2380");
    assert.equal(cluster, "me=https://one.secure.test:2380");
  });

  it("says what it did not find", async () => {
    await assert.rejects(discover("plain.test", "", "http://one.secure.test:2380"), {
      message: 'error setting up initial cluster: cannot find local etcd member "me" in SRV records',
    });
    await assert.rejects(
      discover("nowhere.test", "", "http://one.plain.test:2380"),
      /error querying DNS SRV records for _etcd-server-ssl lookup _etcd-server-ssl\._tcp\.nowhere\.test: no such host/,
    );
    await assert.rejects(
      discover("wrong.test", "", "http://one.plain.test:2380"),
      /bootstrap at https:\/\/one\.plain\.test:2380 from DNS for etcd-server-ssl has scheme mismatch/,
    );
  });
});

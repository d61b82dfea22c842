/** Against a DNS server of the test's own. */
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { after, before, describe, it } from "node:test";
import { parseEtcdUrl } from "../../lib/etcd-url.ts";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import { lookupSrv } from "../../runtime/lookup-srv.ts";
import { clusterFromDns } from "./dns-discovery.ts";

const records: Readonly<Record<string, readonly [target: string, port: number][]>> = {
  "_etcd-server._tcp.plain.test": [
    ["one.plain.test", 2380],
    ["two.plain.test", 2380],
  ],
  "_etcd-server-ssl-blue._tcp.secure.test": [["one.secure.test", 2380]],
  "_etcd-server-ssl._tcp.wrong.test": [["one.plain.test", 2380]],
};

const labels = (name: string): Buffer =>
  Buffer.concat([
    ...name.split(".").flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]),
    Buffer.from([0]),
  ]);

/** The answer to a question: the header, the question again, and a record each. */
function answerTo(query: Buffer): Buffer {
  let end = 12;
  const parts: string[] = [];
  while (query[end] !== 0) {
    parts.push(query.toString("latin1", end + 1, end + 1 + query[end]!));
    end += 1 + query[end]!;
  }
  const found = records[parts.join(".").toLowerCase()] ?? [];
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(found.length > 0 ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(found.length, 6);
  header.fill(0, 8, 12);
  const answers = found.map(([target, port], at) => {
    const name = labels(target);
    const head = Buffer.alloc(18);
    head.writeUInt16BE(0xc00c, 0);
    head.writeUInt16BE(33, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(60, 6);
    head.writeUInt16BE(6 + name.length, 10);
    head.writeUInt16BE(at, 12);
    head.writeUInt16BE(port, 16);
    return Buffer.concat([head, name]);
  });
  return Buffer.concat([header, query.subarray(12, end + 5), ...answers]);
}

const addresses: Readonly<Record<string, string>> = {
  "one.plain.test": "10.0.0.1",
  "two.plain.test": "10.0.0.2",
  "one.secure.test": "10.0.1.1",
};

describe("discovery by DNS", () => {
  let dns: Socket;
  let server = "";
  before(async () => {
    dns = createSocket("udp4");
    dns.on("message", (query, from) => dns.send(answerTo(query), from.port, from.address));
    await new Promise<void>((resolve) => dns.bind(0, "127.0.0.1", resolve));
    server = `127.0.0.1:${dns.address().port}`;
  });
  after(() => dns.close());

  const discover = (discoverySrv: string, discoverySrvName: string, advertised: string) =>
    clusterFromDns(
      { name: "me", discoverySrv, discoverySrvName, initialAdvertisePeerUrls: [parseEtcdUrl(advertised)] },
      {
        srv: (name) => lookupSrv(name, [server]),
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

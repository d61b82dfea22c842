import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { errors } from "../../../errors/table.ts";
import { parseEtcdUrl } from "../../../lib/etcd-url.ts";
import type { ClusterId } from "../../../lib/ids.ts";
import { fetchHash } from "../hash-client.ts";
import { TestMember } from "../testing/test-member.ts";

const found = { hash: 0xffff_fffe, compactRevision: -1, hashRevision: 7, revision: 9 };

describe("GET /members/hashkv", () => {
  let member: TestMember;
  before(async () => {
    const hashByRevision = async (revision: number) => {
      if (revision === 1) throw errors.compacted();
      if (revision === 99) throw errors.futureRev();
      if (revision === 98) throw new Error("store.db is damaged");
      return revision === 0 ? { ...found, hashRevision: 9 } : found;
    };
    member = await TestMember.start({ id: 1, routes: { hashes: { hashByRevision } } });
  });
  after(() => member.stop());

  const ask = (revision: number, clusterId = 0xc1n) =>
    fetchHash(member.url, revision, {
      client: member.transport.client,
      clusterId: clusterId as ClusterId,
      timeoutMs: 5_000,
    });

  it("tells the hash at a revision, and at the newest", async () => {
    assert.deepEqual(await ask(7), found);
    assert.deepEqual(await ask(0), { ...found, hashRevision: 9 });
  });

  it("says why not, as members know it", async () => {
    await assert.rejects(ask(1), { message: errors.compacted.text });
    await assert.rejects(ask(99), { message: errors.futureRev.text });
    await assert.rejects(ask(98), { message: "unknown error: store.db is damaged" });
    await assert.rejects(ask(7, 0xc2n), { message: errors.clusterIdMismatch.text });
  });

  it("is etcd's on the wire", async () => {
    const { client } = member.transport;
    const send = async (method: string, body: string, headers = {}) => {
      const request = { method, path: "/members/hashkv", headers, body: new TextEncoder().encode(body) };
      const answer = await client.request(parseEtcdUrl(member.url), request, {
        timeoutMs: 5_000,
        maxBodyBytes: 1000,
      });
      return [answer.status, new TextDecoder().decode(answer.body)];
    };
    assert.deepEqual(await send("GET", '{"revision":7}'), [
      200,
      '{"header":{"revision":9},"hash":4294967294,"compact_revision":-1,"hash_revision":7}',
    ]);
    assert.deepEqual(await send("GET", ""), [400, "error unmarshalling request\n"]);
    assert.deepEqual(await send("GET", '{"revision":"7"}'), [400, "error unmarshalling request\n"]);
    assert.deepEqual(await send("GET", '{"revision":1}'), [
      400,
      "mvcc: required revision has been compacted\n",
    ]);
    assert.deepEqual(await send("POST", "{}"), [405, "Method Not Allowed\n"]);
  });
});

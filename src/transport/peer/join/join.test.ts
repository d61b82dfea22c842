import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MemberId } from "../../../lib/ids.ts";
import { silentLogger } from "../../../lib/testing/silent-logger.ts";
import type { Member } from "../../../membership/member.ts";
import { TestMember } from "../testing/test-member.ts";
import { fetchCluster, parseMembers } from "./remote-cluster.ts";
import { fetchVersions } from "./remote-versions.ts";

const large = 0xffff_ffff_ffff_fff1n as MemberId;
const memberOf = (id: bigint, name: string, peerUrls: readonly string[]): Member => ({
  id: id as MemberId,
  name,
  peerUrls,
  clientUrls: [],
  isLearner: false,
});

describe("a member that joins", () => {
  it("learns the cluster from the first that answers", async () => {
    const listed = [memberOf(1n, "a", ["http://a:1"]), memberOf(large, "", ["http://b:1", "http://a:0"])];
    const versions = () => ({ etcdserver: "3.7.3", etcdcluster: "3.7.0", storage: "3.7.0" });
    const a = await TestMember.start({ id: 1, routes: { members: { members: () => listed, versions } } });
    const dead = await TestMember.start({ id: 2 });
    await dead.stop();
    const options = { client: a.transport.client, logger: silentLogger, timeoutMs: 5_000 };
    const cluster = await fetchCluster([dead.url, a.url], options);
    assert.deepEqual(cluster, { clusterId: 0xc1n, members: listed });
    await assert.rejects(fetchCluster([dead.url], options), /could not retrieve cluster information/);
    await a.stop();
  });

  it("refuses a cluster of nobody", async () => {
    const a = await TestMember.start({ id: 1 });
    const options = { client: a.transport.client, logger: silentLogger, timeoutMs: 5_000 };
    await assert.rejects(fetchCluster([a.url], options), /failed to get raft cluster member\(s\)/);
    await a.stop();
  });

  it("reads ids of 64 bits, and names that look like them", () => {
    const text = `[{"id":18446744073709551601,"peerURLs":["http://a:1"],"name":"x\\"id\\":5","clientURLs":["http://c:1"]}]`;
    assert.deepEqual(parseMembers(text), [
      { ...memberOf(large, 'x"id":5', ["http://a:1"]), clientUrls: ["http://c:1"] },
    ]);
    for (const bad of ["{}", "[1]", '[{"name":"a"}]', '[{"id":18446744073709551616}]', "<html>"]) {
      assert.throws(() => parseMembers(bad), bad);
    }
  });

  it("asks a member for its versions, at each of its URLs", async () => {
    const versions = { etcdserver: "3.6.1", etcdcluster: "3.6.0", storage: "3.6.0" };
    const source = { members: () => [], versions: () => versions };
    const a = await TestMember.start({ id: 1, routes: { members: source } });
    const dead = await TestMember.start({ id: 2 });
    await dead.stop();
    const options = { client: a.transport.client, logger: silentLogger, timeoutMs: 5_000 };
    assert.deepEqual(await fetchVersions(memberOf(1n, "a", [dead.url, a.url]), options), versions);
    assert.equal(await fetchVersions(memberOf(2n, "b", [dead.url]), options), undefined);
    await a.stop();
  });
});

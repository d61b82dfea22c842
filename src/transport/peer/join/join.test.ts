import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MemberId } from "../../../lib/ids.ts";
import { silentLogger } from "../../../lib/testing/silent-logger.ts";
import type { Member } from "../../../membership/member.ts";
import { TestMember } from "../testing/test-member.ts";
import { fetchCluster, otherPeerUrls, parseMembers } from "./remote-cluster.ts";
import {
  fetchAllVersions,
  fetchDowngradeEnabled,
  isCompatible,
  joinableVersions,
} from "./remote-versions.ts";

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
    assert.deepEqual(otherPeerUrls(cluster.members, "a"), ["http://a:0", "http://b:1"]);
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

  it("asks all others for their versions", async () => {
    const versions = { etcdserver: "3.6.1", etcdcluster: "3.6.0", storage: "3.6.0" };
    const source = { members: () => [], versions: () => versions };
    const fallback = () => new Response("true\n");
    const a = await TestMember.start({ id: 1, routes: { members: source, fallback } });
    const dead = await TestMember.start({ id: 2 });
    await dead.stop();
    const options = { client: a.transport.client, logger: silentLogger, timeoutMs: 5_000 };
    const members = [
      memberOf(1n, "a", [dead.url, a.url]),
      memberOf(2n, "b", [dead.url]),
      memberOf(3n, "c", []),
    ];
    const found = await fetchAllVersions(members, 3n as MemberId, options);
    assert.deepEqual(
      [...found],
      [
        [1n, versions],
        [2n, undefined],
      ],
    );
    assert.equal(await fetchDowngradeEnabled(members, 3n as MemberId, options), true);
    assert.equal(await fetchDowngradeEnabled([members[1]!], 3n as MemberId, options), false);
    await a.stop();
  });

  it("joins clusters of versions that it knows", () => {
    const of = (...clusters: (string | undefined)[]) =>
      new Map(
        clusters.map((etcdcluster, i) => [
          BigInt(i) as MemberId,
          etcdcluster === undefined ? undefined : { etcdserver: "3.7.3", etcdcluster, storage: "" },
        ]),
      );
    const range = joinableVersions("3.7.3", "3.0.0", false);
    const compatible = (...clusters: (string | undefined)[]) =>
      isCompatible(of(...clusters), range, silentLogger);
    assert.equal(compatible("3.7.0"), true);
    assert.equal(compatible("3.0.0", undefined, "not_decided"), true);
    assert.equal(compatible("3.7.0", "3.8.0"), false);
    assert.equal(compatible("2.3.0"), false);
    assert.equal(compatible(undefined), false);
    assert.equal(compatible("not_decided"), false);
    const downgrading = joinableVersions("3.7.3", "3.0.0", true);
    assert.equal(isCompatible(of("3.8.0"), downgrading, silentLogger), true);
    assert.equal(isCompatible(of("3.7.0"), downgrading, silentLogger), false);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClusterId, MemberId } from "../../lib/ids.ts";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import type { Member } from "../../membership/member.ts";
import { type ClusterFinder, type JoinOptions, joinCluster, wasBootstrapped } from "./join-cluster.ts";

const member = (id: bigint, name: string, isLearner = false): Member => ({
  id: id as MemberId,
  name,
  peerUrls: [`http://m${id}:2380`],
  isLearner,
  clientUrls: name === "" ? [] : [`http://m${id}:2379`],
});

const existing = [member(1n, "one"), member(2n, "two"), member(3n, "")];
const urlsByName = new Map([
  ["one", ["http://m1:2380"]],
  ["two", ["http://m2:2380"]],
  ["three", ["http://m3:2380"]],
]);

function options(changes: Partial<JoinOptions> = {}, finder: Partial<ClusterFinder> = {}): JoinOptions {
  return {
    finder: {
      cluster: async () => ({ id: 0xabcn as ClusterId, members: existing }),
      versions: async () => ({ server: "3.7.3", cluster: "3.7.0" }),
      sameUrls: async (a, b) => a.join() === b.join(),
      ...finder,
    },
    logger: silentLogger,
    name: "three",
    urlsByName,
    maxLearners: 1,
    timeoutMs: 1000,
    ...changes,
  };
}

describe("a member that joins", () => {
  it("finds itself by its URLs, and asks the others only", async () => {
    const asked: string[][] = [];
    const joined = await joinCluster(
      options(
        {},
        {
          cluster: async (urls) => {
            asked.push([...urls]);
            return { id: 0xabcn as ClusterId, members: [...existing].reverse() };
          },
        },
      ),
    );
    assert.equal(joined.id, 0xabcn);
    assert.equal(joined.localId, 3n);
    assert.deepEqual(joined.members, existing);
    assert.deepEqual(asked, [["http://m1:2380", "http://m2:2380"]]);
  });

  it("says in etcd's words why it cannot", async () => {
    const refuses = async (given: JoinOptions, message: RegExp) =>
      assert.rejects(joinCluster(given), { name: "Error", message });
    const nobody = async () =>
      Promise.reject(new Error("could not retrieve cluster information from the given URLs"));
    await refuses(
      options({}, { cluster: nobody }),
      /^cannot fetch cluster info from peer urls: could not retrieve cluster information from the given URLs$/,
    );
    await refuses(
      options({ urlsByName: new Map([...urlsByName].slice(1)) }),
      /^error validating peerURLs \{ClusterID:abc Members:\[&\{ID:1 .*\] RemovedMemberIDs:\[\]\}: member count is unequal$/,
    );
    const moved = new Map([...urlsByName, ["two", ["http://elsewhere:2380"]]] as const);
    await refuses(
      options({ urlsByName: moved }),
      /: PeerURLs: no match found for existing member \(2, \[http:/,
    );
    const versions = (cluster: string) => async () => ({ server: "3.7.3", cluster });
    const incompatible = /^incompatible with current running cluster$/;
    await refuses(options({}, { versions: versions("3.8.0") }), incompatible);
    await refuses(options({}, { versions: versions("2.3.0") }), incompatible);
    await refuses(options({}, { versions: versions("not_decided") }), incompatible);
    await refuses(options({}, { versions: async () => Promise.reject(new Error("down")) }), incompatible);
    const learners = [member(1n, "one"), member(2n, "two", true), member(3n, "", true)];
    const cluster = async () => ({ id: 1n as ClusterId, members: learners });
    await refuses(options({}, { cluster }), /too many learner members in cluster$/);
  });

  it("goes by the members that answer", async () => {
    const versions = async ({ id }: Member) =>
      id === 1n ? Promise.reject(new Error("down")) : { server: "3.6.1", cluster: "3.6.0" };
    assert.equal((await joinCluster(options({}, { versions }))).localId, 3n);
  });
});

describe("a member of a new cluster", () => {
  it("has been in it before if others say that it has told its client URLs", async () => {
    assert.equal(await wasBootstrapped(options({ name: "one" }), 1n as MemberId, 1000), true);
    assert.equal(await wasBootstrapped(options(), 3n as MemberId, 1000), false);
    assert.equal(await wasBootstrapped(options(), 9n as MemberId, 1000), false);
    const nobody = async () => Promise.reject(new Error("nobody"));
    assert.equal(await wasBootstrapped(options({}, { cluster: nobody }), 1n as MemberId, 1000), false);
    const alone = options({ name: "one", urlsByName: new Map([...urlsByName].slice(0, 1)) });
    assert.equal(await wasBootstrapped(alone, 1n as MemberId, 1000), false);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { AuthState } from "../../auth/auth-state.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { ClusterVersionSetRequestSchema } from "../../gen/membershippb/membership_pb.ts";
import { Lessor } from "../../lease/lessor.ts";
import type { ClusterId, MemberId } from "../../lib/ids.ts";
import { Cluster, membershipBuckets } from "../../membership/cluster.ts";
import { Alarms } from "../alarms.ts";
import { BootstrapError } from "../bootstrap-error.ts";
import { loadState } from "../load-state.ts";
import { startTestServer } from "../testing/test-server.ts";
import { detectDowngrade } from "./detect-downgrade.ts";

const tooOld = /^invalid downgrade; server version is lower than determined cluster version/;

describe("a server that is older than its cluster", () => {
  it("is told by the minor version", () => {
    for (const good of [undefined, "3.0.0", "3.6.0", "3.7.0", "3.7.9"]) detectDowngrade(good);
    for (const newer of ["3.8.0", "3.10.0", "4.0.0"]) {
      assert.throws(
        () => detectDowngrade(newer),
        (error: Error) => error instanceof BootstrapError && tooOld.test(error.message),
      );
    }
  });

  it("does not start on what it has stored", () => {
    const stored = new Map([["clusterVersion", new TextEncoder().encode("3.8.0")]]);
    const store = {
      // biome-ignore lint/correctness/useYield: a read that is done in one step
      *readMeta(bucket: string) {
        return bucket === membershipBuckets.cluster ? stored : new Map();
      },
    };
    const parts = {
      cluster: new Cluster(1n as ClusterId, 1n as MemberId, 1),
      alarms: new Alarms(),
      lessor: new Lessor({ minTtlSeconds: 2 }),
      auth: new AuthState(),
    };
    assert.throws(() => [...loadState(store as never, parts)], { message: tooOld });
  });

  it("ends when the cluster's version rises above it", async () => {
    const test = await startTestServer();
    const request = create(ClusterVersionSetRequestSchema, { ver: "3.8.0" });
    const bytes = toBinary(ClusterVersionSetRequestSchema, request);
    test.server.propose({ field: raftField.clusterVersionSet, bytes, request }, () => {});
    await test.pass(100);
    assert.match(test.fatal[0]?.message ?? "", tooOld);
    assert.equal(test.server.cluster.version, "3.7.0");
  });
});
